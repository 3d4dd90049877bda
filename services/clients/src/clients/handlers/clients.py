"""Clients over HTTP."""

from typing import Any

from clients import repository
from clients.domain import Client, parse_cpf
from servicekit.auth.tokens import Principal
from servicekit.http.conditional import get_response, put_response, write_condition
from servicekit.http.context import database, validation
from servicekit.http.health import healthy
from servicekit.http.idempotency import idempotent
from servicekit.http.pagination import paginate
from servicekit.http.responses import Result, created


def create(
    body: dict[str, Any], principal: Principal, idempotency_key: str | None = None
) -> Result:
    """Create a client."""
    client = Client.from_body(body, validation())
    return idempotent(
        idempotency_key,
        principal.id,
        body,
        lambda connection: created(
            repository.create_client(connection, principal.realm, client), "Client created", 1
        ),
        single_statement=True,
    )


def fetch(
    client_id: int,
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Result:
    """Return a client."""
    row = database().read(
        lambda connection: repository.fetch_client(connection, principal.realm, client_id)
    )
    return get_response(Client.to_body(row[:-1]), row.version, if_match, if_none_match)


def list_all(
    principal: Principal,
    limit: int,
    after: int,
    name: str | None = None,
    email: str | None = None,
    cpf: str | None = None,
) -> Result:
    """Return a page of clients."""
    parsed_cpf = None if cpf is None else parse_cpf(cpf, "format")
    rows = database().read(
        lambda connection: repository.list_clients(
            connection, principal.realm, limit, after, name=name, email=email, cpf=parsed_cpf
        )
    )
    return paginate([Client.to_body(row) for row in rows], limit)


def update(
    client_id: int,
    body: dict[str, Any],
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Result:
    """Replace a client."""
    client = Client.from_body(body, validation())
    condition = write_condition(if_match, if_none_match)
    with database().autocommit() as connection:
        version = repository.update_client(
            connection, principal.realm, client_id, condition, client
        )
    return put_response("Client updated", version)


def delete(
    client_id: int,
    principal: Principal,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> dict[str, str]:
    """Delete a client with its addresses; its inventory entries are deleted asynchronously."""
    condition = write_condition(if_match, if_none_match)
    with database().transaction() as connection:
        repository.delete_client(connection, principal.realm, client_id, condition)
    return {"msg": "Client deleted"}


def exists(client_id: int, principal: Principal) -> dict[str, bool]:
    """Return whether a client exists."""
    with database().autocommit() as connection:
        return {"status": repository.client_exists(connection, principal.realm, client_id)}


def health() -> Result:
    """Return the state of the service."""
    return healthy()
