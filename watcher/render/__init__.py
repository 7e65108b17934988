"""Digests to text: sandboxed templates, times in the receiver's zone, CSS inlined for mail. Floor 2."""
