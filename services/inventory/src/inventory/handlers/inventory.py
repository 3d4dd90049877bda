"""The inventory over HTTP."""

from typing import Any

from inventory import repository
from inventory.domain import Item, Kind
from inventory.owner_services import forwarded_headers, owner_services
from servicekit.auth.tokens import Principal
from servicekit.http.context import database
from servicekit.http.health import healthy
from servicekit.http.idempotency import idempotent, replayed_response
from servicekit.http.pagination import paginate
from servicekit.http.responses import Result, created
from servicekit.realm import Realm

RELAY_SCOPE = "inventory:remove"  # of the services that delete clients and products


def add_product(
    body: dict[str, Any], principal: Principal, idempotency_key: str | None = None
) -> Result:
    """Add a purchase; no transaction is open during the calls to other services."""
    item = Item.from_body(body)
    replayed = replayed_response(idempotency_key, principal.id, body)
    if replayed is not None:
        return replayed
    name = owner_services().require_client_and_product(
        item.client_id, item.product_id, forwarded_headers()
    )
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
    """Return a page of the inventory of a client."""
    rows = database().read(
        lambda connection: repository.list_items(
            connection, principal.realm, client_id, limit, after
        )
    )
    return paginate([Item.to_body(row) for row in rows], limit)


def remove_product(item_id: int, principal: Principal) -> dict[str, str]:
    """Remove an entry."""
    with database().autocommit() as connection:
        repository.remove_item(connection, principal.realm, item_id)
    return {"msg": "Entry removed"}


def remove_many(body: dict[str, Any], principal: Principal) -> dict[str, str]:
    """Remove all entries of a client or product; a relay also leaves a tombstone."""
    kind: Kind = body["type"]
    if RELAY_SCOPE in principal.scopes:
        _tombstone(kind, body["remotion_id"])
    else:
        _remove_in_realm(principal.realm, kind, body["remotion_id"])
    return {"msg": f"The {kind} is in no inventory"}


def health() -> Result:
    """Return the state of the service."""
    return healthy()


def _tombstone(kind: Kind, subject_id: int) -> None:
    removed = repository.BATCH_SIZE
    while removed == repository.BATCH_SIZE:
        with database().transaction() as connection:
            removed = repository.tombstone(connection, kind, subject_id)


def _remove_in_realm(realm: Realm, kind: Kind, subject_id: int) -> None:
    more = True
    while more:
        with database().autocommit() as connection:
            more = repository.remove_by(connection, realm, kind, subject_id)
