"""Queries on products, limited to the caller's realm."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from products.domain import Product
from products.tables import PRODUCTS
from servicekit.db.table_repository import TableRepository, VersionCondition, as_dict
from servicekit.outbox.messages import enqueue
from servicekit.realm import Realm

_products = TableRepository(PRODUCTS, "product", Product.COLUMNS, folded_filters=("name",))
_name = select(PRODUCTS.c.name).where(
    PRODUCTS.c.id == bindparam("id"), PRODUCTS.c.realm == bindparam("realm")
)


def create_product(connection: Connection, realm: Realm, product: Product) -> int:
    """Add a product and return its id."""
    return _products.insert(connection, realm, as_dict(product))


def fetch_product(connection: Connection, realm: Realm, product_id: int) -> Row[Any]:
    """Return the columns of a product and its version; raise ``NotFound`` if it is missing."""
    return _products.fetch(connection, realm, product_id)


def product_name(connection: Connection, realm: Realm, product_id: int) -> str | None:
    """Return the name of a product, or None if it does not exist."""
    name: str | None = connection.scalar(_name, {"id": product_id, "realm": realm})
    return name


def list_products(
    connection: Connection,
    realm: Realm,
    limit: int,
    after: int,
    *,
    name: str | None = None,
    status: bool | None = None,
) -> Sequence[Row[Any]]:
    """Return a page of products, and one more row if there is a next page."""
    return _products.page(connection, realm, limit, after, name=name, status=status)


def update_product(
    connection: Connection,
    realm: Realm,
    product_id: int,
    condition: VersionCondition | None,
    product: Product,
) -> int:
    """Replace a product and return its new version.

    Raises:
        NotFound: the product does not exist.
        PreconditionFailed: its version does not meet ``condition``.

    """
    return _products.update(connection, realm, product_id, condition, as_dict(product))


def delete_product(
    connection: Connection, realm: Realm, product_id: int, condition: VersionCondition | None = None
) -> None:
    """Delete a product, and enqueue a message for the inventory.

    Raises:
        NotFound: the product does not exist.
        PreconditionFailed: its version does not meet ``condition``.

    """
    _products.delete(connection, realm, product_id, condition)
    enqueue(connection, "product", product_id)


def delete_expired_products(connection: Connection, batch: int) -> int:
    """Delete a batch of expired products of monitors, and return their number."""
    expired = _products.expired(connection, batch)
    for product_id in expired:
        delete_product(connection, "synthetic", product_id)
    return len(expired)
