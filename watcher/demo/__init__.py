"""A bundled news day, served on loopback to the real daemon."""
