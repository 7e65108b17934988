"""Feeds come in: asked or pushed, read, told from what is known, and stored in one transaction."""
