"""Unique names after case folding and normalization, under the name of the previous index.

Case folding alone may decompose a letter. The previous release reports a violation by the name of
the index, so the new index takes over that name.
"""

from alembic import op
from sqlalchemy import text

from servicekit.db.migrations.timeouts import DDL_TIMEOUTS, NO_TIMEOUTS, create_index_concurrently

revision = "products_0005"
down_revision = "products_0004"

FOLDED = "normalize(casefold(normalize(name) COLLATE pg_unicode_fast))"

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
        RAISE EXCEPTION 'the products % have one name but for its case and composition:'
            ' rename all but one, and migrate again', ids;
    END IF;
END $$
"""  # noqa: S608 - a constant

_RENAME = """
-- the new name is the one that the previous release reports
-- squawk-ignore renaming-object
ALTER INDEX uq_products_name_normalized RENAME TO uq_products_name_folded
"""


def upgrade() -> None:
    """Replace the index."""
    op.execute(CHECK)
    create_index_concurrently(
        "uq_products_name_normalized", "products", ["realm", text(FOLDED)], unique=True
    )
    with op.get_context().autocommit_block():
        op.execute(NO_TIMEOUTS)
        op.drop_index(
            "uq_products_name_folded",
            table_name="products",
            if_exists=True,
            postgresql_concurrently=True,
        )
        op.execute(DDL_TIMEOUTS)
        op.execute(_RENAME)
