"""Alembic environment of every service: one transaction per migration, short time-outs."""

from typing import Any

from alembic import context
from sqlalchemy import text

from servicekit.db.database import METADATA
from servicekit.db.migrations.timeouts import DDL_TIMEOUTS


def run() -> None:
    """Migrate on the connection that ``servicekit.db.migrate`` passes, or print the SQL."""
    # one transaction each, so that a migration can leave its own to build an index concurrently
    options: dict[str, Any] = {"transaction_per_migration": True, "target_metadata": METADATA}
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", **options)
        context.execute(DDL_TIMEOUTS)
    else:
        connection = context.config.attributes["connection"]
        connection.execute(text(DDL_TIMEOUTS))
        connection.commit()
        context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


run()
