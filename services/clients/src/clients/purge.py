"""`python -m clients.purge`: deletes expired synthetic clients and idempotency keys."""

from clients import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "clients",
        {
            "synthetic_clients": repository.delete_expired_clients,
            "idempotency_keys": idempotency.delete_expired,
        },
    )
