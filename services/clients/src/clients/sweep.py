"""``python -m clients.sweep``: deletes what monitors left behind, and keys that are old."""

from clients import repository
from servicekit import idempotency
from servicekit.sweep import main

if __name__ == "__main__":
    main(
        "clients",
        {
            "synthetic_clients": repository.delete_expired_clients,
            "idempotency_keys": idempotency.expire,
        },
    )
