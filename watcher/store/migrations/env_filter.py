"""What autogenerate must not touch."""

_SEARCH = ("article_fts", "article_pairs")


def include_object(
    _item: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    """Full-text tables are made by hand in a migration; Alembic would want to drop them."""
    return not (kind == "table" and name is not None and name.startswith(_SEARCH))
