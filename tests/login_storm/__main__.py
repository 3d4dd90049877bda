"""Login storm: hundreds of concurrent logins, and the latency of other requests meanwhile.

The storm must be turned away where it is more than the service can do, with word on when to come
back; nobody else may wait much longer for it, and no process may end. It works in the realm of the
monitors, so that what it makes is swept.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
from validate_docbr import CPF

from devstack.data_folder import MONITOR, DataFolder
from devstack.memory_usage import NothingRunsError, processes
from tests.login_storm.latency_probe import Visit, Visited
from tests.login_storm.logins import Storm, storm

PASSWORD = "Testando"
USERS = 20  # whom the callers log in as
P99 = 3.0  # times its quiet figure that others' p99 may be in a storm
GIVES_WAY = 10  # the callers' niceness: elsewhere they had processors of their own
PATIENCE = 60.0  # seconds until all users are made


@dataclass(frozen=True)
class Outcome:
    """All that was seen of one storm."""

    quiet: Visited
    during: Visited
    logins: Storm
    ended: list[int]  # processes that are no more

    def rows(self) -> Iterator[str]:
        """Yield the table."""
        yield f"{'fetches':22}{'number':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
        for name, seen in (("while it is quiet", self.quiet), ("in the storm", self.during)):
            figures = (seen.percentile(0.5), seen.percentile(0.99), seen.latencies[-1])
            shown = "".join(f"{figure:9.1f}" for figure in figures)
            yield f"{name:22}{len(seen.latencies):8}{shown}"
        yield f"{'p99, times quiet':22}{self.ratio:26.2f}"
        counts = self.logins.statuses
        yield f"logins: {counts[HTTPStatus.OK]} let in, the slowest in {self.logins.slowest:.2f} s"
        yield f"        {counts[HTTPStatus.TOO_MANY_REQUESTS]} told to come back later"

    @property
    def ratio(self) -> float:
        """How many times its quiet figure the others' p99 was."""
        return self.during.percentile(0.99) / self.quiet.percentile(0.99)

    def faults(self, *, timed: bool) -> Iterator[str]:
        """Yield what is not as it must be."""
        known = {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
        if others := {s: n for s, n in self.logins.statuses.items() if s not in known}:
            yield f"logins had other answers (0 is none): {others}"
        if not self.logins.statuses[HTTPStatus.OK]:
            yield "nobody was let in"
        if not self.logins.statuses[HTTPStatus.TOO_MANY_REQUESTS]:
            yield "nobody was turned away: this was no storm"
        if self.logins.untold:
            yield f"{self.logins.untold} refusals did not say when to come back"
        for seen in (self.quiet, self.during):
            if seen.statuses.keys() != {"200"}:
                yield f"fetches had other answers than 200: {seen.statuses}"
        if self.ended:
            yield f"processes ended: {self.ended}"
        if timed and self.ratio > P99:
            yield f"others waited {self.ratio:.2f} times as long at p99; {P99:g} is the most"


def main() -> int:
    """Measure, print the table, and return 1 when something is not as it must be."""
    options = _parser().parse_args()
    try:
        outcome = _measure(options)
    except (httpx.HTTPError, OSError, NothingRunsError) as error:
        sys.exit(f"storm: {error}; is there a system at {options.url}? See --help")
    print("\n".join(outcome.rows()))
    faults = [*outcome.faults(timed=not options.untimed)]
    print("\n".join([f"MISSED  {fault}" for fault in faults] or ["ok"]))
    return 1 if faults else 0


def _measure(options: argparse.Namespace) -> Outcome:
    port = httpx.URL(options.url).port or 80
    secret = (DataFolder(options.data).oauth_clients / MONITOR).read_text().strip()
    before = {process.pid for process in processes(options.data)}
    with httpx.Client(base_url=options.url, timeout=10) as client:
        form = {"grant_type": "client_credentials"}
        answer = client.post("/users/token", data=form, auth=(MONITOR, secret)).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        users = [_make_user(client) for _ in range(USERS)]
        token = client.post("/users/login", auth=users[0]).raise_for_status().json()["token"]
        path = f"/clients/fetch/{_make_client(client)}"
    order = Visit(port, path, token, options.seconds)
    _say("somebody fetches a client, and nobody logs in")
    quiet = _visited(_visitor(order))
    _say(f"{options.logins} log in at once, and again as soon as they may")
    visitor = _visitor(order)
    os.nice(GIVES_WAY)
    callers = [users[number % USERS] for number in range(options.logins)]
    logins = asyncio.run(storm(port, callers, options.seconds))
    during = _visited(visitor)
    return Outcome(quiet, during, logins, [pid for pid in before if not psutil.pid_exists(pid)])


def _visitor(order: Visit) -> "subprocess.Popen[str]":
    visitor = subprocess.Popen(
        [sys.executable, "-m", "tests.login_storm.latency_probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if visitor.stdin is not None:
        visitor.stdin.write(json.dumps(asdict(order)))
        visitor.stdin.close()
    return visitor


def _visited(visitor: "subprocess.Popen[str]") -> Visited:
    seen = visitor.stdout.read() if visitor.stdout else ""
    if visitor.wait():
        message = "the fetches broke off"
        raise OSError(message)
    return Visited(**json.loads(seen))


def _make_user(client: httpx.Client) -> tuple[str, str]:
    name = f"storm-{uuid4()}"
    deadline = time.monotonic() + PATIENCE
    answer = client.post("/users/create", json={"username": name, "password": PASSWORD})
    while answer.status_code == HTTPStatus.TOO_MANY_REQUESTS and time.monotonic() < deadline:
        time.sleep(float(answer.headers["Retry-After"]))
        answer = client.post("/users/create", json={"username": name, "password": PASSWORD})
    answer.raise_for_status()
    return name, PASSWORD


def _make_client(client: httpx.Client) -> int:
    email = f"storm-{uuid4()}@example.test"
    body = {"name": "Storm", "email": email, "cpf": CPF().generate(mask=True), "balance": 0}
    return int(client.post("/clients/create", json=body).raise_for_status().json()["id"])


def _say(text: str) -> None:
    sys.stderr.write(f"storm: {text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.login_storm",
        description=__doc__,
        epilog="Exit codes: 0 all is as it must be, 1 something is not.",
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the system (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path(".cadastro"), help="its data folder")
    parser.add_argument("--logins", type=int, default=200, help="how many at once (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=20, help="of quiet, and of storm (%(default)s)"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="do not judge how long fetches took: a busy machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
