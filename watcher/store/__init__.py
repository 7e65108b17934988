"""The database: SQLAlchemy Core tables, Alembic migrations, one file per role."""
