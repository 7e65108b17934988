"""Watch rules: their YAML, their clauses, their tests."""
