"""``python -m auth.sweep``: deletes what monitors left behind, old failures, and old keys."""

from auth import repository, throttle
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "auth",
        {
            "synthetic_users": repository.delete_expired_users,
            "login_failures": throttle.expire,
            "idempotency_keys": idempotency.expire,
        },
    )
