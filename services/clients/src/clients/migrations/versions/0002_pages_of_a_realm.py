"""Indexes for the pages of one realm; the expand half of an expand-and-contract change.

The primary key lists rows of both realms, so that a page of monitors cost as much as all live rows.
Expand (this release): indexes that begin with the realm, created concurrently. Contract (a later
release, when no process of the previous release runs): the foreign key of addresses uses the new
unique index, and ``uq_clients_id_realm`` with the same columns is dropped.
"""

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "clients_0002"
down_revision = "clients_0001"


def upgrade() -> None:
    """Create the indexes."""
    create_index_concurrently("uq_clients_realm_id", "clients", ["realm", "id"], unique=True)
    create_index_concurrently("ix_addresses_realm_id", "addresses", ["realm", "id"])
