"""`python -m inventory.purge`: deletes expired entries, tombstones and idempotency keys."""

from inventory import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "inventory",
        {
            "synthetic_entries": repository.delete_expired_items,
            "tombstones": repository.purge_tombstones,
            "idempotency_keys": idempotency.delete_expired,
        },
    )
