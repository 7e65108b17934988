"""Bringing a database to this version's tables with Alembic."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision in `migrations/versions`. Known here so that opening a database that is
# up to date doesn't import Alembic, a third of the start of every command; a test compares.
HEAD = "0010"


def alembic_config(connection: sa.Connection | None = None) -> "Config":
    """Alembic's settings in code: the wheel carries no alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def known_revisions() -> set[str]:
    """Every revision this version can upgrade from."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    return {script.revision for script in scripts.walk_revisions()}


def migrate(connection: sa.Connection) -> None:
    """Up to `HEAD`, inside the caller's transaction: killed half-way, nothing happened."""
    from alembic import command

    command.upgrade(alembic_config(connection), "head")
