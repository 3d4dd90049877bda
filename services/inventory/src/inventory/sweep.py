"""``python -m inventory.sweep``: deletes what monitors left behind, and lists that are old."""

from inventory import repository
from servicekit import idempotency
from servicekit.sweep import main

if __name__ == "__main__":
    main(
        "inventory",
        {
            "synthetic_entries": repository.remove_expired,
            "list_of_the_gone": repository.forget_gone,
            "idempotency_keys": idempotency.expire,
        },
    )
