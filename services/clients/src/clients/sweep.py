"""``python -m clients.sweep``: deletes what monitors left behind, and keys that are old."""

from clients import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "clients",
        {
            "synthetic_clients": repository.delete_expired_clients,
            "idempotency_keys": idempotency.expire,
        },
    )
