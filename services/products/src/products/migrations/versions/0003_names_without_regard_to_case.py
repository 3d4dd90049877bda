"""Unique case-folded names; the expand half of an expand-and-contract change.

Expand (this release): a unique index on folded names, created concurrently. It fails while two
products have the same folded name, which an operator must resolve. Contract (a later release):
``uq_products_name``, then used by the filter by name only, becomes a plain index.
"""

from alembic import op
from sqlalchemy import text

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "products_0003"
down_revision = "products_0002"

FOLDED = "casefold(normalize(name) COLLATE pg_unicode_fast)"

CHECK = f"""
DO $$
DECLARE ids text;
BEGIN
    SELECT string_agg(twins, '; and ') INTO ids FROM (
        SELECT string_agg(id::text, ', ' ORDER BY id) AS twins
        FROM products GROUP BY realm, {FOLDED} HAVING count(*) > 1
        ORDER BY min(id) LIMIT 20
    ) AS groups;
    IF ids IS NOT NULL THEN
        RAISE EXCEPTION 'the products % have one name but for its case: rename all but one,'
            ' and migrate again', ids;
    END IF;
END $$
"""  # noqa: S608 - a constant


def upgrade() -> None:
    """Create the index."""
    op.execute(CHECK)
    create_index_concurrently(
        "uq_products_name_folded", "products", ["realm", text(FOLDED)], unique=True
    )
