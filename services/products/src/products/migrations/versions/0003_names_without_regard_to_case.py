"""A name is one product's without regard to case; the first half of expand and contract.

Expand, now: the database itself compares folded names, built beside the traffic. It refuses to
while two products have one name: which of them is renamed is not for a migration to say. Contract,
a release later: ``uq_products_name``, which then only serves the filter by name, becomes an index.
"""

from alembic import op
from sqlalchemy import text

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "products_0003"
down_revision = "products_0002"

FOLDED = "casefold(normalize(name) COLLATE pg_unicode_fast)"

_REFUSE = f"""
DO $$
DECLARE ids text;
BEGIN
    SELECT string_agg(id::text, ', ' ORDER BY id) INTO ids
    FROM products GROUP BY realm, {FOLDED} HAVING count(*) > 1 LIMIT 1;
    IF ids IS NOT NULL THEN
        RAISE EXCEPTION 'the products % have one name but for its case: rename all but one,'
            ' and migrate again', ids;
    END IF;
END $$
"""  # noqa: S608 - a constant


def upgrade() -> None:
    """Create the index."""
    op.execute(_REFUSE)
    create_index_concurrently(
        "uq_products_name_folded", "products", ["realm", text(FOLDED)], unique=True
    )
