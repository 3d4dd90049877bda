"""`python -m inventory.purge`: deletes expired entries, tombstones and idempotency keys."""

from inventory import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "inventory",
        {
            "synthetic_entries": repository.remove_expired,
            "list_of_the_gone": repository.forget_gone,
            "idempotency_keys": idempotency.delete_expired,
        },
    )
