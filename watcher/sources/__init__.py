"""Bytes of feeds to entries; everything costly or hostile happens in a child process."""
