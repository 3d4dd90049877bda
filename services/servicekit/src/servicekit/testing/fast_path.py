"""Check that caches skip no validation: a warm worker rejects the same requests as a cold one.

The service runs under gunicorn. A new worker first gets each invalid request with new tokens. After
valid requests have filled its caches, it gets them again several times, with cached tokens.
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
from servicekit.testing.contract_client import ContractClient
from servicekit.testing.gunicorn_server import gunicorn_server
from servicekit.testing.invalid_request_cases import EXPIRED, InvalidRequestCases
from servicekit.testing.request import USER, InvalidRequest, Request, Tokens
from servicekit.testing.server import CONTRACTS, wait_until

CONCURRENCY = 4  # callers; the default number of threads of a service
REPETITIONS = 3  # of each invalid request to a warm worker
SHORT_TTL = 3  # seconds, of the token that expires during the test
LONG_TTL = 600  # seconds, of the other tokens
_COUNT_BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = :service AND wait_event_type = 'Lock'"
)
Signature = tuple[int, str, str, bytes]  # status, media type, challenge, body


class Sign(Protocol):
    """Signs tokens that the service accepts."""

    def __call__(self, *, scope: str, exp: int) -> str:
        """Return a user token with these scopes that expires at ``exp`` (seconds since 1970)."""


def check_fast_path(
    cases: InvalidRequestCases,
    settings: Mapping[str, str],
    sign: Sign,
    *,
    application: str | None = None,
    operations: Container[str] | None = None,
) -> list[str]:
    """Run a service, send the requests, and return a sentence for each wrong response.

    Args:
        cases: requests that the service must reject.
        settings: environment of the service.
        sign: signs the tokens.
        application: replaces the application of the service, in gunicorn's notation.
        operations: limits the check to these operations.

    """
    requests = [
        case
        for case in cases.invalid_requests()
        if operations is None or case.request.operation in operations
    ]
    contract = CONTRACTS / f"{cases.service}.yaml"
    no_leeway = {**settings, "JWT_LEEWAY": "0"}  # the test waits until a token expires
    with (
        gunicorn_server(cases.service, no_leeway, application) as service,
        ContractClient(service.url, contract, "unit") as client,
    ):
        return _FastPathCheck(client, cases, sign, settings["DATABASE_URL"]).failures(requests)


class _FastPathCheck:
    """Compares the responses of a worker before and after its caches are filled."""

    def __init__(
        self, client: ContractClient, cases: InvalidRequestCases, sign: Sign, database_url: str
    ) -> None:
        self._client, self._cases, self._scopes = client, cases, cases.tokens()
        self._sign, self._database_url = sign, database_url
        self._keys = itertools.count()

    def failures(self, requests: Sequence[InvalidRequest]) -> list[str]:
        cold = {case: self._signature(case, self._tokens(ttl=-1)) for case in requests}
        failures = [
            f"{_name(case)}: {cold[case][0]}, not {case.status}"
            for case in requests
            if cold[case][0] != case.status
        ]
        tokens, responses = self._warm_up()
        failures += self._rejected(responses, {case.request.operation for case in requests})
        for number, case in itertools.product(range(1, REPETITIONS + 1), requests):
            warm = self._signature(case, tokens)
            if warm != cold[case]:
                change = f"{cold[case][0]} when cold, {warm[0]} when warm, time {number}"
                failures.append(f"{_name(case)}: {change}")
        return failures

    def _tokens(self, *, ttl: int) -> Tokens:
        """Return new tokens; the one named ``EXPIRED`` is valid for ``ttl`` seconds."""
        return _LazyTokens(self._scopes, self._sign, int(time.time()), ttl)

    def _warm_up(self) -> tuple[Tokens, list[httpx.Response]]:
        """Send valid requests with new tokens, and wait until one of the tokens has expired.

        Returns:
            The tokens, and the responses to the requests that the service must accept.

        """
        tokens = self._tokens(ttl=SHORT_TTL)
        expires_at = time.time() + SHORT_TTL
        responses = self._exercise(tokens[EXPIRED])[:1]  # the token may expire before the next
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            for name in set(self._scopes) - {USER}:
                list(pool.map(self._exercise, [tokens[name]] * CONCURRENCY))
            for received in pool.map(self._exercise, [tokens[USER]] * 2 * CONCURRENCY):
                responses += received
        time.sleep(max(0.0, expires_at - time.time()))
        return tokens, responses

    def _exercise(self, token: str) -> list[httpx.Response]:
        def send(method: str, path: str, **more: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
            return self._client.request(method, path, headers=headers, **more)

        return list(self._cases.exercise(send))

    def _rejected(self, responses: Sequence[httpx.Response], operations: set[str]) -> Iterator[str]:
        """Yield the valid requests that were rejected, and the operations that were not called."""
        unused = set(operations)
        for response in responses:
            name = self._client.operation_of(response)
            if response.is_success:
                unused.discard(name)
            else:
                yield f"{name}, a valid request: {response.status_code}"
        yield from (f"{name}: no valid request" for name in sorted(unused))

    def _signature(self, case: InvalidRequest, tokens: Tokens) -> Signature:
        """Send a request and return the parts of the response that must not vary."""
        request = case.request
        authorization = request.authorize(tokens)
        if authorization is not None:
            request = request.with_headers(authorization=authorization)
        with ExitStack() as blocked:
            if case.blocked_on is not None:
                request = self._cases.new_write(request)
                request = request.with_headers(idempotency_key=f"a-key-in-use-{next(self._keys)}")
                blocked.enter_context(self._blocked_request(request, case.blocked_on))
            response = self._send(request)
        challenge = response.headers.get("WWW-Authenticate", "")
        return response.status_code, response.headers["Content-Type"], challenge, response.content

    def _send(self, request: Request) -> httpx.Response:
        method, path, headers = request.method, request.path, request.headers
        return self._client.request(method, path, content=request.body, headers=headers)

    @contextmanager
    def _blocked_request(self, request: Request, table: str) -> Iterator[None]:
        """Send the same request, and block it on a table lock in the context."""
        engine = create_engine(driver_url(self._database_url), poolclass=NullPool)
        blocked = _COUNT_BLOCKED.bindparams(service=self._cases.service)
        with ThreadPoolExecutor(1) as pool, engine.connect() as watch:
            with engine.begin() as holder:
                holder.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
                first = pool.submit(self._send, request)
                wait_until(lambda: watch.scalar(blocked) == 1, "the first request to block")
                yield
            first.result()


class _LazyTokens(dict[str, str]):
    """Tokens by name, signed on first use."""

    def __init__(self, scopes: Mapping[str, str], sign: Sign, now: int, short_ttl: int) -> None:
        super().__init__()
        self._scopes, self._sign, self._now, self._short_ttl = scopes, sign, now, short_ttl

    def __missing__(self, name: str) -> str:
        ttl = self._short_ttl if name == EXPIRED else LONG_TTL
        scope = self._scopes[USER if name == EXPIRED else name]
        self[name] = self._sign(scope=scope, exp=self._now + ttl)
        return self[name]


def _name(case: InvalidRequest) -> str:
    return f"{case.request.operation}, {case.label}"
