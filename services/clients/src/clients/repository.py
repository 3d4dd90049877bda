"""Queries on clients and addresses, limited to the caller's realm."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from clients.domain import Address, Client, searched_email_key
from clients.tables import ADDRESSES, CLIENTS
from servicekit.db.table_repository import TableRepository, VersionCondition, as_dict
from servicekit.outbox.messages import enqueue
from servicekit.problems import BadRequest
from servicekit.realm import Realm

_clients = TableRepository(CLIENTS, "client", Client.COLUMNS, folded_filters=("name",))
_addresses = TableRepository(ADDRESSES, "address", Address.COLUMNS, folded_filters=("city",))


def create_client(connection: Connection, realm: Realm, client: Client) -> int:
    """Add a client and return its id."""
    return _clients.insert(connection, realm, _column_values(client))


def fetch_client(connection: Connection, realm: Realm, client_id: int) -> Row[Any]:
    """Return the columns of a client and its version; raise ``NotFound`` if it is missing."""
    return _clients.fetch(connection, realm, client_id)


def client_exists(connection: Connection, realm: Realm, client_id: int) -> bool:
    """Return whether a client exists."""
    return _clients.exists(connection, realm, client_id)


def list_clients(
    connection: Connection,
    realm: Realm,
    limit: int,
    after: int,
    *,
    name: str | None = None,
    email: str | None = None,
    cpf: str | None = None,
) -> Sequence[Row[Any]]:
    """Return a page of clients, and one more row if there is a next page."""
    key = None if email is None else searched_email_key(email)
    return _clients.page(connection, realm, limit, after, name=name, email_key=key, cpf=cpf)


def update_client(
    connection: Connection,
    realm: Realm,
    client_id: int,
    condition: VersionCondition | None,
    client: Client,
) -> int:
    """Replace a client and return its new version.

    Raises:
        NotFound: the client does not exist.
        PreconditionFailed: its version does not meet ``condition``.

    """
    return _clients.update(connection, realm, client_id, condition, _column_values(client))


def delete_client(
    connection: Connection, realm: Realm, client_id: int, condition: VersionCondition | None = None
) -> None:
    """Delete a client with its addresses, and enqueue a message for the inventory.

    Raises:
        NotFound: the client does not exist.
        PreconditionFailed: its version does not meet ``condition``.

    """
    _clients.delete(connection, realm, client_id, condition)
    enqueue(connection, "client", client_id)


def delete_expired_clients(connection: Connection, batch: int) -> int:
    """Delete a batch of expired clients of monitors, and return their number."""
    expired = _clients.expired(connection, batch)
    for client_id in expired:
        delete_client(connection, "synthetic", client_id)
    return len(expired)


def create_address(connection: Connection, realm: Realm, client_id: int, address: Address) -> int:
    """Add an address and return its id; a foreign key rejects a missing client."""
    return _addresses.insert(connection, realm, {"client_id": client_id, **as_dict(address)})


def list_addresses(
    connection: Connection,
    realm: Realm,
    limit: int,
    after: int,
    *,
    client_id: int | None = None,
    state: str | None = None,
    city: str | None = None,
) -> Sequence[Row[Any]]:
    """Return a page of addresses, and one more row if there is a next page."""
    return _addresses.page(
        connection, realm, limit, after, client_id=client_id, state=state, city=city
    )


def update_address(
    connection: Connection,
    realm: Realm,
    address_id: int,
    condition: VersionCondition | None,
    address: Address,
    *,
    client_id: int | None,
) -> int:
    """Replace an address and return its new version.

    Raises:
        NotFound: the address does not exist.
        PreconditionFailed: its version does not meet ``condition``.
        BadRequest: the address belongs to another client than ``client_id``.

    """
    if client_id is not None:
        owner = _addresses.fetch(connection, realm, address_id).client_id
        if owner != client_id:
            raise BadRequest(
                "must be the address's own client: an address does not move", field="client_id"
            )
    return _addresses.update(connection, realm, address_id, condition, as_dict(address))


def delete_address(
    connection: Connection, realm: Realm, address_id: int, condition: VersionCondition | None
) -> None:
    """Delete an address.

    Raises:
        NotFound: the address does not exist.
        PreconditionFailed: its version does not meet ``condition``.

    """
    _addresses.delete(connection, realm, address_id, condition)


def _column_values(client: Client) -> dict[str, Any]:
    return {
        "name": client.name,
        "email": client.email,
        "email_key": client.email_key,
        "cpf": client.cpf,
        "balance": client.balance,
    }
