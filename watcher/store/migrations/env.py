"""Alembic runs this with the connection it was handed."""

from alembic import context

from watcher.store.tables import metadata


def include_object(
    _item: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    """Full-text tables are made by hand; autogenerate must not want to drop them."""
    return not (
        kind == "table" and name is not None and name.startswith(("article_fts", "article_pairs"))
    )


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    include_object=include_object,
)
context.run_migrations()
