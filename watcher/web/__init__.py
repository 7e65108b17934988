"""What others ask of us: the one listener and what it serves."""
