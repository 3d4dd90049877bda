"""Products over HTTP."""

from typing import Any

from products import repository
from products.domain import Product
from servicekit.auth.tokens import Principal
from servicekit.http.conditional import get_response, put_response, write_condition
from servicekit.http.context import database
from servicekit.http.health import healthy
from servicekit.http.idempotency import idempotent
from servicekit.http.pagination import paginate
from servicekit.http.responses import Result, created


def create(
    body: dict[str, Any], principal: Principal, idempotency_key: str | None = None
) -> Result:
    """Create a product."""
    product = Product.from_body(body)
    return idempotent(
        idempotency_key,
        principal.id,
        body,
        lambda connection: created(
            repository.create_product(connection, principal.realm, product), "Product created", 1
        ),
        single_statement=True,
    )


def fetch(
    product_id: int,
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Result:
    """Return a product."""
    row = database().read(
        lambda connection: repository.fetch_product(connection, principal.realm, product_id)
    )
    return get_response(Product.to_body(row[:-1]), row.version, if_match, if_none_match)


def list_all(
    principal: Principal,
    limit: int,
    after: int,
    name: str | None = None,
    status: bool | None = None,  # noqa: FBT001 - handlers are called by name
) -> Result:
    """Return a page of products."""
    rows = database().read(
        lambda connection: repository.list_products(
            connection, principal.realm, limit, after, name=name, status=status
        )
    )
    return paginate([Product.to_body(row) for row in rows], limit)


def update(
    product_id: int,
    body: dict[str, Any],
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Result:
    """Replace a product; existing inventory entries keep the old name."""
    product = Product.from_body(body)
    condition = write_condition(if_match, if_none_match)
    with database().autocommit() as connection:
        version = repository.update_product(
            connection, principal.realm, product_id, condition, product
        )
    return put_response("Product updated", version)


def delete(
    product_id: int,
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> dict[str, str]:
    """Delete a product; its inventory entries are deleted asynchronously."""
    condition = write_condition(if_match, if_none_match)
    with database().transaction() as connection:
        repository.delete_product(connection, principal.realm, product_id, condition)
    return {"msg": "Product deleted"}


def exists(product_id: int, principal: Principal) -> dict[str, Any]:
    """Return whether a product exists, and its name."""
    with database().autocommit() as connection:
        name = repository.product_name(connection, principal.realm, product_id)
    return {"status": False} if name is None else {"status": True, "product_name": name}


def health() -> Result:
    """Return the state of the service."""
    return healthy()
