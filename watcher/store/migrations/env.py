"""Alembic runs this with the connection it was handed."""

from alembic import context

from watcher.store.migrations.env_filter import include_object
from watcher.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    include_object=include_object,
)
context.run_migrations()
