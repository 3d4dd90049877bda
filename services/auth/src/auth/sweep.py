"""``python -m auth.sweep``: deletes what monitors left behind, old failures, and old keys."""

from auth import repository, throttle
from servicekit import idempotency
from servicekit.sweep import main

if __name__ == "__main__":
    main(
        "auth",
        {
            "synthetic_users": repository.delete_expired_users,
            "login_failures": throttle.expire,
            "idempotency_keys": idempotency.expire,
        },
    )
