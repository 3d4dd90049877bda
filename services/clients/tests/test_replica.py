"""Reads of clients on a streaming replica show every acknowledged write."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.app import create_app
from devstack import databases
from servicekit.db import migrate
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.clients.request_bodies import address_body, client_body
from tests.support.replication import Replication, replication

CALLERS = 4
# of the service at the primary: the last one is a position if the read ran on the replica
LAST = "SELECT query FROM pg_stat_activity WHERE application_name = 'clients' ORDER BY query_start"


@pytest.fixture(scope="module")
def servers() -> Iterator[Replication]:
    """A primary with the databases of the services, and its replica."""
    with replication() as servers:
        databases.create_missing(servers.primary)
        url = servers.primary.url("clients", user="clients")
        migrate.upgrade(url, migrate.configuration("clients"))
        yield servers


@pytest.fixture
def api(servers: Replication, issuer: FakeIssuer, tmp_path: Path) -> Iterator[ContractClient]:
    """A client of a service that has used its replica."""
    settings = peer_settings(
        issuer,
        servers.primary.url("clients", user="clients"),
        tmp_path,
        READ_DATABASE_URL=servers.replica.url("clients", user="clients"),
        INVENTORY_URL="http://127.0.0.1:9",
    )
    with environment(**settings):
        app = create_app()
    with (
        serve(app) as url,
        ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as api,
    ):
        wait_for_replica(servers, api)
        yield api


def is_on_replica(servers: Replication, api: ContractClient, path: str) -> bool:
    """Return whether the replica serves a successful request."""
    assert api.get(path).status_code == 200
    return "pg_current_wal_flush_lsn" in str(servers.primary.execute(LAST)[-1])


def wait_for_replica(servers: Replication, api: ContractClient) -> None:
    """Wait until reads run on the replica."""
    wait_until(lambda: is_on_replica(servers, api, "/clients/fetch"), "reads on the replica")


def create(api: ContractClient) -> int:
    """Create a client with an address, and return its id."""
    client_id = int(api.post("/clients/create", json=client_body()).json()["id"])
    created = api.post("/address/create", json=address_body(client_id=client_id))
    assert created.status_code == 201
    return client_id


def test_fetches_and_lists_run_on_the_replica_and_checks_of_existence_on_the_primary(
    servers: Replication, api: ContractClient
) -> None:
    client_id = create(api)
    servers.wait_until_replayed()
    for path in ("/clients/fetch", "/clients/fetch/{}", "/address/fetch", "/address/fetch/{}"):
        assert is_on_replica(servers, api, path.format(client_id)), path
    assert not is_on_replica(servers, api, f"/clients/exists/{client_id}")


def test_a_caller_reads_its_writes_while_the_replay_is_paused(
    servers: Replication, api: ContractClient
) -> None:
    with servers.paused():
        client_id = create(api)
        path = f"/clients/fetch/{client_id}"
        assert api.get(path).headers["ETag"] == '"1"'
        assert client_id in {each["id"] for each in api.get("/clients/fetch?limit=100").json()}
        assert api.put(f"/clients/update/{client_id}", json=client_body(name="Nova")).is_success
        assert api.get(path).json()["name"] == "Nova"
        assert api.get(path, headers={"If-None-Match": '"1"'}).status_code == 200
        assert api.delete(f"/clients/delete/{client_id}").is_success
        assert api.get(path).status_code == 404
        assert api.get(f"/address/fetch/{client_id}").json() == []
    wait_for_replica(servers, api)


def test_no_call_fails_while_the_replica_is_killed_and_restarted(
    servers: Replication, api: ContractClient
) -> None:
    killed = threading.Event()

    def call(number: int) -> list[int]:
        statuses: list[int] = []
        while not killed.is_set() or len(statuses) < 10:
            client_id = int(api.post("/clients/create", json=client_body()).json()["id"])
            statuses.append(api.get(f"/clients/fetch/{client_id}").status_code)
            statuses.append(api.get(f"/clients/fetch?limit={number + 1}").status_code)
        return statuses

    with ThreadPoolExecutor(CALLERS) as callers:
        calls = callers.map(call, range(CALLERS))
        servers.kill_replica()
        killed.set()
        assert {status for statuses in calls for status in statuses} == {200}
    servers.replica.start()
    wait_for_replica(servers, api)


def test_without_the_primary_no_read_is_answered_by_a_replica_that_may_lack_writes(
    servers: Replication, api: ContractClient
) -> None:
    servers.primary.stop()
    try:
        assert api.get("/clients/fetch").status_code == 503
    finally:
        servers.primary.start()
    wait_for_replica(servers, api)
