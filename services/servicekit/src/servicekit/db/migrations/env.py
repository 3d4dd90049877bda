"""Alembic's environment for every service: a transaction a migration, short waits."""

from typing import Any

from alembic import context
from sqlalchemy import text

from servicekit.db.database import METADATA
from servicekit.db.migrations.timeouts import SHORT


def run() -> None:
    """Migrate on the connection that ``servicekit.db.migrate`` hands over, or print the SQL."""
    # a transaction each, so that one may leave its own to build an index beside the traffic
    options: dict[str, Any] = {"transaction_per_migration": True, "target_metadata": METADATA}
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", **options)
        context.execute(SHORT)
    else:
        connection = context.config.attributes["connection"]
        connection.execute(text(SHORT))
        connection.commit()
        context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


run()
