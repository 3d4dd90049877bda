"""Alembic environment and helpers that the migration histories of the services share."""
