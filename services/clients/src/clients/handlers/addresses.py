"""Addresses over HTTP."""

from typing import Any

from clients import repository
from clients.domain import Address
from servicekit.auth.tokens import Principal
from servicekit.http.conditional import put_response, write_condition
from servicekit.http.context import database, validation
from servicekit.http.idempotency import idempotent
from servicekit.http.pagination import paginate
from servicekit.http.responses import Result, created


def create(
    body: dict[str, Any], principal: Principal, idempotency_key: str | None = None
) -> Result:
    """Create an address of a client."""
    address = Address.from_body(body, validation())
    return idempotent(
        idempotency_key,
        principal.id,
        body,
        lambda connection: created(
            repository.create_address(connection, principal.realm, body["client_id"], address),
            "Address created",
            1,
        ),
        single_statement=True,
    )


def list_of_client(client_id: int, principal: Principal, limit: int, after: int) -> Result:
    """Return a page of the addresses of a client."""
    rows = database().read(
        lambda connection: repository.list_addresses(
            connection, principal.realm, limit, after, client_id=client_id
        )
    )
    return paginate([Address.to_body(row) for row in rows], limit)


def list_all(
    principal: Principal,
    limit: int,
    after: int,
    state: str | None = None,
    city: str | None = None,
) -> Result:
    """Return a page of all addresses."""
    rows = database().read(
        lambda connection: repository.list_addresses(
            connection, principal.realm, limit, after, state=state, city=city
        )
    )
    return paginate([Address.to_body(row) for row in rows], limit)


def update(
    address_id: int,
    body: dict[str, Any],
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Result:
    """Replace an address; its client cannot change."""
    address = Address.from_body(body, validation())
    condition = write_condition(if_match, if_none_match)
    with database().autocommit() as connection:
        version = repository.update_address(
            connection,
            principal.realm,
            address_id,
            condition,
            address,
            client_id=body.get("client_id"),
        )
    return put_response("Address updated", version)


def delete(
    address_id: int,
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> dict[str, str]:
    """Delete an address."""
    condition = write_condition(if_match, if_none_match)
    with database().autocommit() as connection:
        repository.delete_address(connection, principal.realm, address_id, condition)
    return {"msg": "Address deleted"}
