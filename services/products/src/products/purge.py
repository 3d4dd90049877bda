"""`python -m products.purge`: deletes expired synthetic products and idempotency keys."""

from products import repository
from servicekit.db.purge import main
from servicekit.http import idempotency

if __name__ == "__main__":
    main(
        "products",
        {
            "synthetic_products": repository.delete_expired_products,
            "idempotency_keys": idempotency.delete_expired,
        },
    )
