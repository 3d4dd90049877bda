"""`python -m auth.purge`: deletes expired synthetic users, login failures and idempotency keys."""

from auth import repository, throttle
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "auth",
        {
            "synthetic_users": repository.delete_expired_users,
            "login_failures": throttle.delete_expired,
            "idempotency_keys": idempotency.delete_expired,
        },
    )
