"""Login storm: hundreds of users log in at once, while another user fetches a client.

The service must reject the logins above its capacity, with Retry-After. The other user's requests
may not become much slower, and no process may exit. The users and clients belong to the synthetic
realm, so that the purge deletes them.
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

from devstack.data_folder import MONITOR, DataFolder
from devstack.memory_usage import NotRunningError, processes
from tests.login_storm.latency_probe import ProbeConfig, ProbeResult
from tests.login_storm.logins import LoginResult, log_in_repeatedly
from tests.support.accounts import User, new_client
from tests.support.steps import Progress

PASSWORD = "Testando"
USERS = 20  # shared by the callers
P99_LIMIT = 3.0  # the p99 of the probe during the logins, as a multiple of that before them
NICENESS = 10  # of the callers, which share the processors with the system
CREATE_TIMEOUT_SECONDS = 60.0  # for all users

report = Progress("storm")


@dataclass(frozen=True)
class Outcome:
    """The results of one run."""

    before: ProbeResult
    during: ProbeResult
    logins: LoginResult
    exited: list[int]  # processes of the system

    def rows(self) -> Iterator[str]:
        """Yield the table."""
        yield f"{'fetches':22}{'number':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
        for name, seen in (("before the logins", self.before), ("during the logins", self.during)):
            figures = (seen.percentile(0.5), seen.percentile(0.99), seen.latencies[-1])
            shown = "".join(f"{figure:9.1f}" for figure in figures)
            yield f"{name:22}{len(seen.latencies):8}{shown}"
        yield f"{'p99, times before':22}{self.ratio:26.2f}"
        counts = self.logins.statuses
        yield f"logins: {counts[HTTPStatus.OK]} succeeded, at most {self.logins.slowest:.2f} s"
        yield f"        {counts[HTTPStatus.TOO_MANY_REQUESTS]} rejected with 429"

    @property
    def ratio(self) -> float:
        """The p99 during the logins, as a multiple of that before them."""
        return self.during.percentile(0.99) / self.before.percentile(0.99)

    def violations(self, *, timed: bool) -> Iterator[str]:
        """Yield the violated expectations."""
        known = {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
        if unexpected := {s: n for s, n in self.logins.statuses.items() if s not in known}:
            yield f"logins had unexpected statuses (0: no response): {unexpected}"
        if not self.logins.statuses[HTTPStatus.OK]:
            yield "no login succeeded"
        if not self.logins.statuses[HTTPStatus.TOO_MANY_REQUESTS]:
            yield "no login was rejected: the load was too small"
        if self.logins.without_retry_after:
            yield f"{self.logins.without_retry_after} rejections had no Retry-After"
        for seen in (self.before, self.during):
            if seen.statuses.keys() != {"200"}:
                yield f"fetches had statuses other than 200: {seen.statuses}"
        if self.exited:
            yield f"processes exited: {self.exited}"
        if timed and self.ratio > P99_LIMIT:
            yield f"the p99 of fetches was {self.ratio:.2f} times as long, over {P99_LIMIT:g}"


def main() -> int:
    """Measure, print the table, and return 1 after a violation."""
    options = _parser().parse_args()
    try:
        outcome = _measure(options)
    except (httpx.HTTPError, OSError, NotRunningError) as error:
        sys.exit(f"storm: {error}; is there a system at {options.url}? See --help")
    print("\n".join(outcome.rows()))
    violations = [*outcome.violations(timed=not options.untimed)]
    print("\n".join([f"MISSED  {violation}" for violation in violations] or ["ok"]))
    return 1 if violations else 0


def _measure(options: argparse.Namespace) -> Outcome:
    port = httpx.URL(options.url).port or 80
    file = DataFolder(options.data).oauth_clients / MONITOR
    secret = file.read_text(encoding="utf-8-sig").strip()
    pids = {process.pid for process in processes(options.data)}
    with httpx.Client(base_url=options.url, timeout=10) as client:
        form = {"grant_type": "client_credentials"}
        response = client.post("/users/token", data=form, auth=(MONITOR, secret))
        token = response.raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        users = [_create_user(client) for _ in range(USERS)]
        token = client.post("/users/login", auth=users[0]).raise_for_status().json()["token"]
        path = f"/clients/fetch/{_create_client(client)}"
    config = ProbeConfig(port, path, token, options.seconds)
    report("latency without logins")
    before = _result(_start_probe(config))
    report(f"latency during {options.logins} concurrent logins")
    probe = _start_probe(config)
    os.nice(NICENESS)
    callers = [users[number % USERS] for number in range(options.logins)]
    logins = asyncio.run(log_in_repeatedly(port, callers, options.seconds))
    during = _result(probe)
    return Outcome(before, during, logins, [pid for pid in pids if not psutil.pid_exists(pid)])


def _start_probe(config: ProbeConfig) -> "subprocess.Popen[str]":
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.login_storm.latency_probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if probe.stdin is not None:
        probe.stdin.write(json.dumps(asdict(config)))
        probe.stdin.close()
    return probe


def _result(probe: "subprocess.Popen[str]") -> ProbeResult:
    output = probe.stdout.read() if probe.stdout else ""
    if probe.wait():
        raise OSError("the latency probe failed")
    return ProbeResult(**json.loads(output))


def _create_user(client: httpx.Client) -> User:
    name = f"storm-{uuid4()}"
    body = {"username": name, "password": PASSWORD}
    deadline = time.monotonic() + CREATE_TIMEOUT_SECONDS
    response = client.post("/users/create", json=body)
    while response.status_code == HTTPStatus.TOO_MANY_REQUESTS and time.monotonic() < deadline:
        time.sleep(float(response.headers["Retry-After"]))
        response = client.post("/users/create", json=body)
    response.raise_for_status()
    return name, PASSWORD


def _create_client(client: httpx.Client) -> int:
    response = client.post("/clients/create", json=new_client("Storm", "storm"))
    return int(response.raise_for_status().json()["id"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.login_storm",
        description=__doc__,
        epilog="Exit codes: 0 no violation, 1 a violation.",
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the system (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path(".cadastro"), help="its data folder")
    parser.add_argument("--logins", type=int, default=200, help="concurrent logins (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=20, help="of each measurement (%(default)s)"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="check no latencies, for a busy machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
