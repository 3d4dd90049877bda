"""Time-outs of migrations, and concurrent creation of indexes.

A migration that waits for a table lock blocks every query behind it, so it fails after a second and
is retried. A concurrent index build blocks no queries and has no time-out. A failed build leaves an
invalid index, which the next attempt drops.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import TextClause

DDL_TIMEOUTS = "SET lock_timeout = '1s'; SET statement_timeout = '60s'"
NO_TIMEOUTS = "SET lock_timeout = 0; SET statement_timeout = 0"


def create_index_concurrently(
    name: str, table: str, columns: Sequence[str | TextClause], *, unique: bool = False
) -> None:
    """Create an index without blocking writes, outside the migration's transaction."""
    with op.get_context().autocommit_block():
        op.execute(NO_TIMEOUTS)
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, unique=unique, postgresql_concurrently=True)
        op.execute(DDL_TIMEOUTS)
