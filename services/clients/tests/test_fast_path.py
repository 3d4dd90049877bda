"""No check of clients is skipped on the way that is fast, and a check that is skipped is found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.app import create_app
from servicekit.testing import (
    KEY,
    NOBODY,
    Bad,
    Given,
    Issuer,
    Refusals,
    Send,
    environment,
    fast_path_faults,
    peer_settings,
    serve,
)
from tests.support.clients.request_bodies import address_body, client_body

MEASURED = {"clients.fetch", "clients.list_all", "clients.create", "clients.update"}  # in the bench


@dataclass(frozen=True)
class World:
    """Rows that are there before, for the bad requests to bounce off."""

    client: int
    address: int
    mine: Mapping[str, Any]  # that client's body
    other: Mapping[str, Any]  # another client's body


class Clients(Refusals):
    """What clients must refuse."""

    service = "clients"

    def __init__(self, world: World) -> None:
        """Have nothing but ``world`` in the database."""
        self._world = world
        address = address_body(client_id=world.client, number=101)  # not as there is one
        bodies = {
            "clients.create": client_body(),
            "clients.update": client_body(),
            "addresses.create": address,
            "addresses.update": address,
        }
        super().__init__(
            Given(
                identifiers={"client_id": world.client, "address_id": world.address},
                bodies=bodies,
                tables={"clients.create": "clients", "addresses.create": "addresses"},
            )
        )

    def conflicts(self) -> Iterator[Bad]:
        """Yield what another has, what no CPF or e-mail address is, and what is nobody's."""
        for good in (self.good("clients.create"), self.good("clients.update")):
            for name in ("email", "cpf"):
                taken = good.having(**{name: self._world.other[name]})
                yield taken.but(f"another's {name}", 409)
            for cpf in ("529.982.247-26", "111.111.111-11"):
                yield good.having(cpf=cpf).but(f"{cpf} is no CPF", 400)
            yield good.having(email="a@b@c.org").but("no address has two @", 400)
        for good in (self.good("addresses.create"), self.good("addresses.update")):
            yield good.having(state="XX").but("there is no such state", 400)
        orphan = self.good("addresses.create").having(client_id=NOBODY)
        yield orphan.but("nobody's", 404)
        moved = self.good("addresses.update").having(client_id=NOBODY)
        yield moved.but("to another client", 400)

    def use(self, send: Send) -> Iterator[httpx.Response]:
        """Make a good request of each operation."""
        client, address = self._world.client, self._world.address
        yield send("GET", f"/clients/fetch/{client}")
        yield send("GET", "/clients/fetch")
        yield send("GET", f"/clients/exists/{client}")
        yield send("GET", "/address/fetch")
        yield send("GET", f"/address/fetch/{client}")
        yield send("PUT", f"/clients/update/{client}", json={**self._world.mine, "balance": "1.5"})
        yield send("PUT", f"/address/update/{address}", json=address_body())
        made = send("POST", "/clients/create", json=client_body())
        added = send("POST", "/address/create", json=address_body(client_id=client))
        yield from (made, added)
        yield send("DELETE", f"/clients/delete/{made.json().get('id', NOBODY)}")
        yield send("DELETE", f"/address/delete/{added.json().get('id', NOBODY)}")


@pytest.fixture
def settings(own_url: str, issuer: Issuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service with a separate database."""
    return peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def refusals(settings: dict[str, str], issuer: Issuer) -> Clients:
    """What it refuses; its rows were made by another process than the one that is tried."""
    with environment(**settings):
        app = create_app()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as url, httpx.Client(base_url=url, headers=headers) as user:
        mine, other, key = client_body(), client_body(), {"Idempotency-Key": KEY}
        user.post("/clients/create", json=other).raise_for_status()
        made = user.post("/clients/create", json=mine, headers=key).raise_for_status()
        client = made.json()["id"]
        address = user.post("/address/create", json=address_body(client_id=client), headers=key)
        return Clients(World(client, address.raise_for_status().json()["id"], mine, other))


def test_each_refusal_that_is_declared_has_a_bad_request() -> None:
    nowhere = Clients(World(1, 1, client_body(), client_body()))
    assert nowhere.brought_about() == nowhere.declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    settings: dict[str, str], issuer: Issuer, refusals: Clients
) -> None:
    assert fast_path_faults(refusals, settings, issuer.token) == []


@pytest.mark.parametrize(
    ("variant", "found"),
    [
        ("ignoring_token_expiry", "an expired token: 401 when cold, 200 when warm"),
        ("ignoring_token_signature", "a forged token: 401 when cold, 200 when warm"),
        ("ignoring_operation_of_token", "no scope: 403 when cold, 200 when warm"),
        ("ignoring_body", "no name: 400 when cold, 409 when warm"),
        ("ignoring_query", "an unknown parameter: 400 when cold, 200 when warm"),
    ],
)
def test_a_check_that_a_cache_forgets_is_found(
    settings: dict[str, str], issuer: Issuer, refusals: Clients, variant: str, found: str
) -> None:
    faults = fast_path_faults(
        refusals,
        settings,
        issuer.token,
        application=f"tests.support.clients.faulty_caches:{variant}()",
        operations=MEASURED,
    )
    assert any(found in fault for fault in faults), faults[:20]
