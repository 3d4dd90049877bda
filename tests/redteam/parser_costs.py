"""CPU time of a service for the most expensive requests that its parsers admit."""

from collections.abc import Iterator
from http.client import HTTPConnection
from typing import NamedTuple

from tests.redteam.parser_inputs import ParserInput, parser_inputs
from tests.redteam.rows import Plan, Row
from tests.redteam.target import Target, running_target
from tests.support.accounts import create_user, log_in
from tests.support.steps import check

MAX_MILLISECONDS = 20.0
WARM_UP = 6  # requests; the throttle of logins then comes before the hash, which is no parser
REQUESTS = 8  # of a measurement
MEASUREMENTS = 3  # the lowest counts: other processes of the machine cost cache misses
SERVER_ERRORS = range(500, 600)


class Cost(NamedTuple):
    """The status of a request and the CPU time of its service."""

    status: int
    milliseconds: float


def parsers(_: Plan) -> Iterator[Row]:
    """Yield a row for each request; one that takes too long is an error."""
    with running_target() as target:
        token = log_in(target.url, create_user(target.url, "redteam"))
        check(token, "the login failed")
        for each in parser_inputs(token or ""):
            yield _row(each, _measure(target, each, token or ""))


def _measure(target: Target, request: ParserInput, token: str) -> Cost:
    connection = HTTPConnection("127.0.0.1", target.ports[request.service], timeout=30)
    headers = {"Authorization": f"Bearer {token}", **request.headers}

    def send() -> int:
        connection.request(request.method, request.path, request.body, headers)
        response = connection.getresponse()
        response.read()
        return response.status

    for _ in range(WARM_UP):
        status = send()
    seconds = []
    for _ in range(MEASUREMENTS):
        started = target.worker_cpu_seconds(request.service)
        for _ in range(REQUESTS):
            status = send()
        seconds.append((target.worker_cpu_seconds(request.service) - started) / REQUESTS)
    connection.close()
    return Cost(status, min(seconds) * 1000)


def _row(request: ParserInput, cost: Cost) -> Row:
    headers = sum(len(name) + len(value) for name, value in request.headers.items())
    size = len(request.path) + headers + len(request.body or b"")
    result = f"{size:6} bytes  {cost.status}  {cost.milliseconds:5.1f} ms of CPU"
    error = ""
    if cost.milliseconds > MAX_MILLISECONDS:
        error = f"over {MAX_MILLISECONDS:g} ms"
    elif cost.status in SERVER_ERRORS:
        error = "a server error"
    return Row(f"{request.parser}: {request.name}", result, error)
