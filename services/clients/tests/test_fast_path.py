"""The fast path of clients skips no validation, and the test detects skipped ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.app import create_app
from servicekit.testing import (
    KEY,
    MISSING_ID,
    CaseFixtures,
    FakeIssuer,
    InvalidRequest,
    InvalidRequestCases,
    Send,
    check_fast_path,
    environment,
    peer_settings,
    serve,
)
from tests.support.clients.request_bodies import address_body, client_body

MEASURED = {
    "clients.fetch",
    "clients.list_all",
    "clients.create",
    "clients.update",
}  # in the benchmark


@dataclass(frozen=True)
class World:
    """Existing rows for the invalid requests."""

    client: int
    address: int
    mine: Mapping[str, Any]  # body of the client
    other: Mapping[str, Any]  # body of another client


class Clients(InvalidRequestCases):
    """Requests that clients must reject."""

    service = "clients"

    def __init__(self, world: World) -> None:
        """Derive requests from the contract for the rows of ``world``."""
        self._world = world
        address = address_body(client_id=world.client, number=101)  # unlike the existing one
        bodies = {
            "clients.create": client_body(),
            "clients.update": client_body(),
            "addresses.create": address,
            "addresses.update": address,
        }
        super().__init__(
            CaseFixtures(
                identifiers={"client_id": world.client, "address_id": world.address},
                bodies=bodies,
                tables={"clients.create": "clients", "addresses.create": "addresses"},
            )
        )

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield requests with duplicate, invalid and missing values."""
        for valid in (self.valid("clients.create"), self.valid("clients.update")):
            for name in ("email", "cpf"):
                taken = valid.with_body(**{name: self._world.other[name]})
                yield taken.expect(409, f"another's {name}")
            for cpf in ("529.982.247-26", "111.111.111-11"):
                yield valid.with_body(cpf=cpf).expect(400, f"{cpf} is no CPF")
            yield valid.with_body(email="a@b@c.org").expect(400, "no address has two @")
        for valid in (self.valid("addresses.create"), self.valid("addresses.update")):
            yield valid.with_body(state="XX").expect(400, "there is no such state")
        orphan = self.valid("addresses.create").with_body(client_id=MISSING_ID)
        yield orphan.expect(404, "nobody's")
        moved = self.valid("addresses.update").with_body(client_id=MISSING_ID)
        yield moved.expect(400, "to another client")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Send a valid request to each operation."""
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
        yield send("DELETE", f"/clients/delete/{made.json().get('id', MISSING_ID)}")
        yield send("DELETE", f"/address/delete/{added.json().get('id', MISSING_ID)}")


@pytest.fixture
def settings(own_url: str, issuer: FakeIssuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service with a separate database."""
    return peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def invalid_requests(settings: dict[str, str], issuer: FakeIssuer) -> Clients:
    """Invalid requests; their rows are created by another process than the tested one."""
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


def test_each_declared_error_has_an_invalid_request() -> None:
    cases = Clients(World(1, 1, client_body(), client_body()))
    assert cases.covered() == cases.declared()


def test_warm_caches_reject_the_same_requests_as_cold_ones(
    settings: dict[str, str], issuer: FakeIssuer, invalid_requests: Clients
) -> None:
    assert check_fast_path(invalid_requests, settings, issuer.token) == []


@pytest.mark.long
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
def test_a_cache_with_too_small_a_key_is_detected(
    settings: dict[str, str],
    issuer: FakeIssuer,
    invalid_requests: Clients,
    variant: str,
    found: str,
) -> None:
    faults = check_fast_path(
        invalid_requests,
        settings,
        issuer.token,
        application=f"tests.support.clients.cache_key_mutants:{variant}()",
        operations=MEASURED,
    )
    assert any(found in fault for fault in faults), faults[:20]
