"""Speed beside a peer or a floor, in one run."""
