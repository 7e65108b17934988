"""Articles that report the same event, and who really reported it."""
