"""Who is told, when, and why (not)."""
