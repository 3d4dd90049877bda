"""Alembic's environment for every service: one connection, one lock, short waits."""

from alembic import context
from sqlalchemy import text

from servicekit.database import Base

LOCK = 0x636164617374726F  # "cadastro": one migration at a time in a database


def run() -> None:
    """Migrate on the connection that ``servicekit.migrate`` hands over, or print the SQL."""
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=Base.metadata)
    else:
        connection = context.config.attributes["connection"]
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # a migration that waits for a busy table holds up every query behind it: rather try again
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


run()
