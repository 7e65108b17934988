"""A news day that never happened, served on this machine, for the real daemon to watch."""
