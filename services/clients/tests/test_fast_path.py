"""No check is skipped on the way that is fast: what is refused cold is refused warm, and alike.

The service runs as it is deployed. First each bad request comes to a worker that has just
started, with tokens that it has never seen; then again and again, between good ones, with a token
that the worker remembers, to operations whose statements and connections have been used.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import NullPool, create_engine, text

from bad_requests import KEY, RUNNING, Bad, World, bad_requests, declared
from clients.app import create_app
from deployed import deployed
from people import a_client, an_address
from servicekit.database import driver_url
from servicekit.testing import Issuer, environment, peer_settings, serve, wait_until

SCOPES = {"user": "clients:read clients:write", "reader": "clients:read", "writer": "clients:write"}
THREADS = 4  # a service's own, by default
TIMES = 3
MEASURED = {"clients.fetch", "clients.list_all", "clients.create", "clients.update"}  # in the bench
LIVES = 3  # seconds for which the token lives that expires in between
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'clients' AND wait_event_type = 'Lock'"
)
Answer = tuple[int, str, str, bytes]  # status, media type, challenge, body


@pytest.fixture
def settings(own_url: str, issuer: Issuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service on a database of its own, which finds ``broken`` too."""
    more = {"INVENTORY_URL": "http://127.0.0.1:9", "PYTHONPATH": str(Path(__file__).parent)}
    return peer_settings(issuer, own_url, tmp_path, **more)


@pytest.fixture
def world(settings: dict[str, str], issuer: Issuer) -> World:
    """Rows that are there before, made by another process than the one that is tried."""
    with environment(**settings):
        app = create_app()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as url, httpx.Client(base_url=url, headers=headers) as user:
        mine, other, key = a_client(), a_client(), {"Idempotency-Key": KEY}
        user.post("/clients/create", json=other).raise_for_status()
        made = user.post("/clients/create", json=mine, headers=key).raise_for_status()
        client = made.json()["id"]
        address = user.post("/address/create", json=an_address(client_id=client), headers=key)
        return World(client, address.raise_for_status().json()["id"], mine, other)


class Trial:
    """One worker, its bad requests, and what it answered to each before it was warm."""

    def __init__(self, client: httpx.Client, issuer: Issuer, world: World, database: str) -> None:
        """Try the service that ``client`` calls, whose rows are in ``database``."""
        self._client, self._issuer = client, issuer
        self._world, self._database = world, database
        self._keys = itertools.count()

    def faults(self, requests: Sequence[Bad]) -> list[str]:
        """Return what is wrong with the answers: a sentence for each bad request and time."""
        cold = {bad: self._answer(bad, self._tokens(lives=-1)) for bad in requests}
        found = [
            f"{bad.operation}, {bad.wrong}: {cold[bad][0]}, not {bad.status}"
            for bad in requests
            if cold[bad][0] != bad.status
        ]
        tokens, refused = self._warm_up()
        found += [f"a good request was answered {status}" for status in refused]
        for number, bad in itertools.product(range(1, TIMES + 1), requests):
            warm = self._answer(bad, tokens)
            if warm != cold[bad]:
                change = f"{cold[bad][0]} when cold, {warm[0]} when warm, time {number}"
                found.append(f"{bad.operation}, {bad.wrong}: {change}")
        return found

    def _tokens(self, *, lives: int) -> dict[str, str]:
        """Return tokens that nobody has seen; one of them lives for so many seconds."""
        tokens = {who: self._issuer.token(scope=scope) for who, scope in SCOPES.items()}
        return {**tokens, "expired": self._issuer.token(exp=int(time.time()) + lives)}

    def _warm_up(self) -> tuple[dict[str, str], set[int]]:
        """Make good requests of all kinds with new tokens, one of which has expired since.

        Returns:
            The tokens, and the statuses of good requests that were refused.

        """
        tokens = self._tokens(lives=LIVES)
        expires = time.time() + LIVES
        statuses = set(self._good("expired", tokens)[:1])
        with ThreadPoolExecutor(THREADS) as pool:
            for who in SCOPES:
                list(pool.map(lambda _, who=who: self._good(who, tokens), range(2 * THREADS)))
        statuses.update(self._good("user", tokens))
        time.sleep(max(0.0, expires - time.time()))
        return tokens, statuses - {200, 201}

    def _good(self, who: str, tokens: Mapping[str, str]) -> list[int]:
        """Make a good request of each kind, and return the statuses: who may not is refused."""
        client, address = self._world.client, self._world.address
        add, change = an_address(client_id=client), an_address()
        calls: list[tuple[str, str, Any]] = [
            ("GET", f"/clients/fetch/{client}", None),
            ("GET", "/clients/fetch", None),
            ("GET", f"/clients/exists/{client}", None),
            ("GET", "/address/fetch", None),
            ("GET", f"/address/fetch/{client}", None),
            ("POST", "/clients/create", a_client()),
            ("PUT", f"/clients/update/{client}", {**self._world.mine, "balance": "1.5"}),
            ("POST", "/address/create", add),
            ("PUT", f"/address/update/{address}", change),
        ]
        return [self._send(*call, tokens[who]).status_code for call in calls]

    def _send(self, method: str, path: str, body: Any, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self._client.request(method, path, json=body, headers=headers)

    def _answer(self, bad: Bad, tokens: Mapping[str, str]) -> Answer:
        """Return all of an answer that does not differ from one request to the next."""
        headers = dict(bad.headers)
        authorization = bad.authorize(tokens)
        if authorization is not None:
            headers["Authorization"] = authorization
        with ExitStack() as meanwhile:
            if headers.get("Idempotency-Key") == RUNNING:
                headers["Idempotency-Key"] = f"{RUNNING}-{next(self._keys)}"
                meanwhile.enter_context(self._running(bad, headers))
            answer = self._client.request(bad.method, bad.path, content=bad.body, headers=headers)
        challenge = answer.headers.get("WWW-Authenticate", "")
        return answer.status_code, answer.headers["Content-Type"], challenge, answer.content

    @contextmanager
    def _running(self, request: Bad, headers: Mapping[str, str]) -> Iterator[None]:
        """Have the same request wait for a lock meanwhile."""
        engine = create_engine(driver_url(self._database), poolclass=NullPool)
        with ThreadPoolExecutor(1) as pool, engine.connect() as watch:
            with engine.begin() as holder:
                holder.execute(text("LOCK TABLE addresses IN EXCLUSIVE MODE"))
                first = pool.submit(
                    httpx.request,
                    request.method,
                    f"{self._client.base_url}{request.path}",
                    content=request.body,
                    headers=dict(headers),
                )
                wait_until(lambda: watch.scalar(text(WAITING)) == 1, "the first one to wait")
                yield
            first.result()


def test_each_refusal_that_is_declared_has_a_bad_request(world: World) -> None:
    assert {(bad.operation, bad.status) for bad in bad_requests(world)} == declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    settings: dict[str, str], issuer: Issuer, world: World, own_url: str
) -> None:
    with deployed(settings) as service, httpx.Client(base_url=service.url, timeout=30) as client:
        trial = Trial(client, issuer, world, own_url)
        assert trial.faults(list(bad_requests(world))) == []


@pytest.mark.parametrize(
    ("variant", "found"),
    [
        ("a_token_for_ever", "an expired token: 401 when cold, 200 when warm"),
        ("a_token_by_its_claims", "a forged token: 401 when cold, 200 when warm"),
        ("a_caller_at_all_operations", "no scope: 403 when cold, 200 when warm"),
        ("a_body_by_its_operation", "no name: 400 when cold, 409 when warm"),
        ("parameters_by_their_path", "an unknown parameter: 400 when cold, 200 when warm"),
    ],
)
def test_a_check_that_a_cache_forgets_is_found(
    settings: dict[str, str], issuer: Issuer, world: World, own_url: str, variant: str, found: str
) -> None:
    some = [bad for bad in bad_requests(world) if bad.operation in MEASURED]
    with (
        deployed(settings, f"broken:{variant}()") as service,
        httpx.Client(base_url=service.url, timeout=30) as client,
    ):
        faults = Trial(client, issuer, world, own_url).faults(some)
    assert any(found in fault for fault in faults), faults[:20]
