"""How long a migration may wait and work, and how it makes an index that takes longer.

A migration that waits for a busy table holds up every query behind it: it gives up after a second
and is tried again. An index that is built concurrently holds up nobody, so that it may take its
time; what an attempt that failed has left is not valid, and is dropped before the next one.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import TextClause

SHORT = "SET lock_timeout = '1s'; SET statement_timeout = '60s'"
UNLIMITED = "SET lock_timeout = 0; SET statement_timeout = 0"


def create_index_concurrently(
    name: str, table: str, columns: Sequence[str | TextClause], *, unique: bool = False
) -> None:
    """Create an index on a table that is in use; ends the migration's transaction before."""
    with op.get_context().autocommit_block():
        op.execute(UNLIMITED)
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, unique=unique, postgresql_concurrently=True)
        op.execute(SHORT)
