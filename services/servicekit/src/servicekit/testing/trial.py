"""No check is skipped on the way that is fast: what is refused cold is refused warm, and alike.

The service runs as it is deployed. First each bad request comes to a worker that has just
started, with tokens that it has never seen; then again and again, between good ones, with a token
that the worker remembers, to operations whose statements and connections have been used.
"""

import itertools
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import httpx
from sqlalchemy import NullPool, create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing.client import ContractClient
from servicekit.testing.deployed import deployed
from servicekit.testing.refusals import EXPIRED, Refusals
from servicekit.testing.request import USER, Bad, Callers, Request
from servicekit.testing.server import CONTRACTS, wait_until

AT_ONCE = 4  # callers: as many as a service has threads by default; auth has more
TIMES = 3  # that each bad request comes to a warm worker
LIVES = 3  # seconds for which the token lives that expires in between
LONG = 600  # seconds for which the others do
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = :service AND wait_event_type = 'Lock'"
)
Answer = tuple[int, str, str, bytes]  # status, media type, challenge, body


class Sign(Protocol):
    """Signs tokens that the service accepts."""

    def __call__(self, *, scope: str, exp: int) -> str:
        """Return a user's token with these scopes, good until ``exp`` (seconds since 1970)."""


def fast_path_faults(
    refusals: Refusals,
    settings: Mapping[str, str],
    sign: Sign,
    *,
    application: str | None = None,
    operations: Container[str] | None = None,
) -> list[str]:
    """Deploy a service, try it, and return a sentence for each wrong answer.

    Args:
        refusals: what it must refuse.
        settings: its environment.
        sign: who signs its callers' tokens.
        application: another application than the service's own, as gunicorn is told it.
        operations: those that are tried; all of them if none are named.

    """
    requests = [
        bad
        for bad in refusals.bad_requests()
        if operations is None or bad.request.operation in operations
    ]
    contract = CONTRACTS / f"{refusals.service}.yaml"
    with (
        deployed(refusals.service, settings, application) as service,
        ContractClient(service.url, contract, "unit") as client,
    ):
        return _Trial(client, refusals, sign, settings["DATABASE_URL"]).faults(requests)


class _Trial:
    """One worker, its bad requests, and what it answered to each before it was warm."""

    def __init__(
        self, client: ContractClient, refusals: Refusals, sign: Sign, database_url: str
    ) -> None:
        self._client, self._refusals, self._scopes = client, refusals, refusals.callers()
        self._sign, self._database_url = sign, database_url
        self._keys = itertools.count()

    def faults(self, requests: Sequence[Bad]) -> list[str]:
        cold = {bad: self._answer(bad, self._tokens(lives=-1)) for bad in requests}
        found = [
            f"{_name(bad)}: {cold[bad][0]}, not {bad.status}"
            for bad in requests
            if cold[bad][0] != bad.status
        ]
        tokens, answers = self._warm_up()
        found += self._refused(answers, {bad.request.operation for bad in requests})
        for number, bad in itertools.product(range(1, TIMES + 1), requests):
            warm = self._answer(bad, tokens)
            if warm != cold[bad]:
                change = f"{cold[bad][0]} when cold, {warm[0]} when warm, time {number}"
                found.append(f"{_name(bad)}: {change}")
        return found

    def _tokens(self, *, lives: int) -> Callers:
        """Return tokens that nobody has seen; one of them lives for so many seconds."""
        return _Tokens(self._scopes, self._sign, int(time.time()), lives)

    def _warm_up(self) -> tuple[Callers, list[httpx.Response]]:
        """Make good requests of all kinds with new tokens, one of which has expired since.

        Returns:
            The tokens, and the answers to the requests that were not to be refused.

        """
        tokens = self._tokens(lives=LIVES)
        expires = time.time() + LIVES
        answers = self._use(tokens[EXPIRED])[:1]  # the next may come too late
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for who in set(self._scopes) - {USER}:
                list(pool.map(self._use, [tokens[who]] * AT_ONCE))
            for used in pool.map(self._use, [tokens[USER]] * 2 * AT_ONCE):
                answers += used
        time.sleep(max(0.0, expires - time.time()))
        return tokens, answers

    def _use(self, token: str) -> list[httpx.Response]:
        def send(method: str, path: str, **more: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
            return self._client.request(method, path, headers=headers, **more)

        return list(self._refusals.use(send))

    def _refused(self, answers: Sequence[httpx.Response], operations: set[str]) -> Iterator[str]:
        """Yield which good requests were refused, and which operations nobody has used."""
        unused = set(operations)
        for answer in answers:
            name = self._client.operation_of(answer)
            if answer.is_success:
                unused.discard(name)
            else:
                yield f"{name}, a good request: {answer.status_code}"
        yield from (f"{name}: it was not used" for name in sorted(unused))

    def _answer(self, bad: Bad, tokens: Callers) -> Answer:
        """Return all of an answer that does not differ from one request to the next."""
        request = bad.request
        authorization = request.authorize(tokens)
        if authorization is not None:
            request = request.under(authorization=authorization)
        with ExitStack() as meanwhile:
            if bad.waits_for is not None:
                request = request.under(idempotency_key=f"a-key-in-use-{next(self._keys)}")
                meanwhile.enter_context(self._running(request, bad.waits_for))
            answer = self._send(request)
        challenge = answer.headers.get("WWW-Authenticate", "")
        return answer.status_code, answer.headers["Content-Type"], challenge, answer.content

    def _send(self, request: Request) -> httpx.Response:
        method, path, headers = request.method, request.path, request.headers
        return self._client.request(method, path, content=request.body, headers=headers)

    @contextmanager
    def _running(self, request: Request, table: str) -> Iterator[None]:
        """Have the same request wait for a table meanwhile."""
        engine = create_engine(driver_url(self._database_url), poolclass=NullPool)
        waiting = WAITING.bindparams(service=self._refusals.service)
        with ThreadPoolExecutor(1) as pool, engine.connect() as watch:
            with engine.begin() as holder:
                holder.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
                first = pool.submit(self._send, request)
                wait_until(lambda: watch.scalar(waiting) == 1, "the first one to wait")
                yield
            first.result()


class _Tokens(dict[str, str]):
    """Tokens by who holds them, each signed when it is first asked for."""

    def __init__(self, scopes: Mapping[str, str], sign: Sign, now: int, lives: int) -> None:
        super().__init__()
        self._scopes, self._sign, self._now, self._lives = scopes, sign, now, lives

    def __missing__(self, who: str) -> str:
        lives = self._lives if who == EXPIRED else LONG
        scope = self._scopes[USER if who == EXPIRED else who]
        self[who] = self._sign(scope=scope, exp=self._now + lives)
        return self[who]


def _name(bad: Bad) -> str:
    return f"{bad.request.operation}, {bad.wrong}"
