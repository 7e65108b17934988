"""Everything a user writes, from bytes to one checked `Config`. Floor 3; the only reader of the environment."""
