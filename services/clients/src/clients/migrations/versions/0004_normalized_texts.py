"""Normalized keys of e-mail addresses, and indexes for the filters by name and by city.

Case folding may decompose a letter, so keys were in no single form. Only keys beyond ASCII can
change.
"""

from alembic import op
from sqlalchemy import text

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "clients_0004"
down_revision = "clients_0003"

FOLDED = "normalize(casefold(normalize({}) COLLATE pg_unicode_fast))"

CHECK = """
DO $$
DECLARE ids text;
BEGIN
    SELECT string_agg(twins, '; and ') INTO ids FROM (
        SELECT string_agg(id::text, ', ' ORDER BY id) AS twins
        FROM clients WHERE email_key ~ '[^ -~]'
        GROUP BY realm, normalize(email_key) HAVING count(*) > 1
        ORDER BY min(id) LIMIT 20
    ) AS groups;
    IF ids IS NOT NULL THEN
        RAISE EXCEPTION 'the clients % have one e-mail but for its composition:'
            ' change all but one, and migrate again', ids;
    END IF;
END $$
"""

_NORMALIZE = """
UPDATE clients SET email_key = normalize(email_key)
WHERE email_key ~ '[^ -~]' AND email_key IS NOT NORMALIZED
"""


def upgrade() -> None:
    """Normalize the keys, and create the indexes."""
    op.execute(CHECK)
    op.execute(_NORMALIZE)
    create_index_concurrently(
        "ix_clients_name_folded", "clients", ["realm", text(FOLDED.format("name")), "id"]
    )
    create_index_concurrently(
        "ix_addresses_city_folded", "addresses", ["realm", text(FOLDED.format("city")), "id"]
    )
