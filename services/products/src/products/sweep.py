"""``python -m products.sweep``: deletes what monitors left behind, and keys that are old."""

from products import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "products",
        {
            "synthetic_products": repository.delete_expired_products,
            "idempotency_keys": idempotency.expire,
        },
    )
