"""The inventory over HTTP."""

from typing import Any

from inventory import repository
from inventory.domain import Item, Kind
from inventory.gateways import owners, passed_on
from servicekit.auth.tokens import Principal
from servicekit.http import health as healths
from servicekit.http.context import database
from servicekit.http.idempotency import idempotent, replayed_response
from servicekit.http.pagination import paginate
from servicekit.http.responses import Result, created
from servicekit.realm import Realm

FROM_A_SERVICE = "inventory:remove"  # the scope of those who delete clients and products


def add_product(
    body: dict[str, Any], principal: Principal, idempotency_key: str | None = None
) -> Result:
    """Note that a client bought a product; no transaction is open while its owners are asked."""
    item = Item.from_body(body)
    before = replayed_response(idempotency_key, principal.id, body)
    if before is not None:
        return before
    name = owners().product_name(item.client_id, item.product_id, passed_on())
    return idempotent(
        idempotency_key,
        principal.id,
        body,
        lambda connection: created(
            repository.add_item(connection, principal.realm, item, name), "Product added"
        ),
        single_statement=True,
    )


def list_products(client_id: int, principal: Principal, limit: int, after: int) -> Result:
    """Answer a page of what one client bought."""
    with database().autocommit() as connection:
        rows = repository.list_items(connection, principal.realm, client_id, limit, after)
    return paginate([Item.to_body(row) for row in rows], limit)


def remove_product(item_id: int, principal: Principal) -> dict[str, str]:
    """Remove one entry."""
    with database().autocommit() as connection:
        repository.remove_item(connection, principal.realm, item_id)
    return {"msg": "Entry removed"}


def remove_many(body: dict[str, Any], principal: Principal) -> dict[str, str]:
    """Remove every entry of a client or product; from a service, for good."""
    kind: Kind = body["type"]
    if FROM_A_SERVICE in principal.scopes:
        _remove_for_good(kind, body["remotion_id"])
    else:
        _remove_in_realm(principal.realm, kind, body["remotion_id"])
    return {"msg": f"The {kind} is in no inventory"}


def health() -> dict[str, str]:
    """Answer whether the service works."""
    return healths.healthy()


def _remove_for_good(kind: Kind, subject_id: int) -> None:
    removed = repository.BATCH
    while removed == repository.BATCH:
        with database().transaction() as connection:
            removed = repository.bury(connection, kind, subject_id)


def _remove_in_realm(realm: Realm, kind: Kind, subject_id: int) -> None:
    more = True
    while more:
        with database().autocommit() as connection:
            more = repository.remove_of(connection, realm, kind, subject_id)
