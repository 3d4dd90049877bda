"""Pages of one realm without a walk through the other; the first half of expand and contract.

A page was read along the primary key, past every row of the other realm: a monitor's pages cost
as much as all live rows. Expand, now: indexes that begin with the realm, built beside the traffic;
code that does not know them works as before. Contract, a release later, when no process of this
release's predecessor runs any more: the foreign key of addresses moves to the new unique index,
and ``uq_clients_id_realm``, which has the same columns, goes.
"""

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "clients_0002"
down_revision = "clients_0001"


def upgrade() -> None:
    """Create the indexes."""
    create_index_concurrently("uq_clients_realm_id", "clients", ["realm", "id"], unique=True)
    create_index_concurrently("ix_addresses_realm_id", "addresses", ["realm", "id"])
