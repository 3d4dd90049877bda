"""Workers that are stopped while clients write: bounded responses, and no write is doubled."""

import secrets
import shutil
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil

from tests.redteam.first_start import LocalSystem
from tests.redteam.rows import Plan, Row
from tests.support.accounts import create_user, log_in, new_client, new_purchase
from tests.support.http_caller import HttpCaller, Response

IN_FLIGHT = 4  # requests at the moment of the stop
INTERVAL_SECONDS = 0.5  # between further requests
NOTICE_SECONDS = 4.0  # until the ingress has noticed
MAX_SECONDS = 15.0  # of a response to a request in flight
MAX_NEW_SECONDS = 2.0  # of a response after the notice
REPLACE_SECONDS = 60.0
PAGE = 1000  # rows
AUTH_ROUNDS = 20  # of fetches and a login, while the worker of auth hangs
FETCHES = ("/clients/fetch", "/products/fetch", "/inventory/list_products_ids/1")
DATE = "2026-01-01T00:00:00"
RETRYABLE = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


@dataclass
class Write:
    """A creation, with all its responses."""

    path: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    responses: list[Response] = field(default_factory=list)

    def send(self, url: str, token: str) -> None:
        """Send the request once more, with the same key."""
        with HttpCaller(url, token, timeout=REPLACE_SECONDS) as caller:
            response = caller.request("POST", self.path, self.body, Idempotency_Key=self.key)
        self.responses.append(response)


@dataclass(frozen=True)
class Target:
    """A service, with a new write and the number of rows that writes have created."""

    service: str
    write: Callable[[], Write]
    count: Callable[[], int]


def rows(_: Plan) -> Iterator[Row]:
    """Stop the worker of each service that stores what clients create, and that of auth."""
    with _system() as system:
        token = log_in(system.url, create_user(system.url, "redteam")) or ""
        for target in _targets(system.url, token):
            yield _attack(system, token, target)
        for is_continued in (True, False):
            yield _attack_auth(system, is_continued=is_continued)


@contextmanager
def _system() -> Iterator[LocalSystem]:
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    system = LocalSystem(folder / "data", folder / "output.txt")
    try:
        system.wait_until_ready()
        yield system
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _targets(url: str, token: str) -> Iterator[Target]:
    def get(path: str) -> list[Any]:
        with HttpCaller(url, token) as caller:
            found: list[Any] = caller.request("GET", path).document
        return found

    def product() -> dict[str, Any]:
        body = {"name": f"Vermelho {secrets.token_hex(8)}", "description": "-", "quantity": 1}
        return {**body, "price": 1, "status": True}

    buyer, bought = Write("/clients/create", new_client("Ana", "hung")), product()
    item = Write("/products/create", bought)
    for each in (buyer, item):
        each.send(url, token)
    client_id, product_id = (int(each.responses[0].document["id"]) for each in (buyer, item))
    yield Target(
        "inventory",
        lambda: Write("/inventory/add_product", new_purchase(client_id, product_id, DATE)),
        lambda: len(get(f"/inventory/list_products_ids/{client_id}")),
    )
    yield Target(
        "clients",
        lambda: Write("/clients/create", new_client("Ana", "hung")),
        lambda: len(get(f"/clients/fetch?limit={PAGE}")),
    )
    yield Target(
        "products",
        lambda: Write("/products/create", product()),
        lambda: len(get(f"/products/fetch?limit={PAGE}")),
    )


def _attack(system: LocalSystem, token: str, target: Target) -> Row:
    before = target.count()
    master = _master(system, target.service)
    worker = master.children()[0]
    worker.suspend()
    stopped = time.monotonic()
    writes: list[Write] = []
    threads: list[threading.Thread] = []
    deadline = stopped + REPLACE_SECONDS
    while time.monotonic() < deadline and not _is_replaced(master, worker, writes):
        write = target.write()
        writes.append(write)
        threads.append(threading.Thread(target=write.send, args=(system.url, token)))
        threads[-1].start()
        if len(writes) > IN_FLIGHT:
            time.sleep(INTERVAL_SECONDS)
    replaced = time.monotonic() - stopped
    for thread in threads:
        thread.join()
    first = [write.responses[0] for write in writes]
    for write in writes:
        while not write.responses[-1].is_success and time.monotonic() < deadline:
            write.send(system.url, token)
    errors = _errors(stopped, first)
    if not all(write.responses[-1].is_success for write in writes):
        errors.append("a retried write fails")
    if (created := target.count() - before) != len(writes):
        errors.append(f"{created} rows of {len(writes)} writes")
    slowest = max(response.seconds for response in first)
    result = f"{len(writes)} writes, {created} rows; replaced after {replaced:.0f} s; "
    name = f"worker of {target.service} hangs"
    return Row(name, f"{result}at most {slowest:.1f} s", "; ".join(errors))


def _attack_auth(system: LocalSystem, *, is_continued: bool) -> Row:
    """Stop the worker of auth, then let it continue, or wait for another one."""
    user = create_user(system.url, "redteam")
    token = log_in(system.url, user) or ""  # no service has seen it
    master = _master(system, "auth")
    worker = master.children()[0]
    worker.suspend()
    time.sleep(NOTICE_SECONDS)
    fetches, logins = [], []
    basic = "Basic " + b64encode(":".join(user).encode()).decode()
    with HttpCaller(system.url, token) as caller, HttpCaller(system.url) as guest:
        for _ in range(AUTH_ROUNDS):
            fetches += [caller.request("GET", path) for path in FETCHES]
            logins.append(guest.request("POST", "/users/login", Authorization=basic))
    if is_continued:
        worker.resume()
    errors = []
    if failed := [response.status for response in fetches if not response.is_success]:
        errors.append(f"callers with a token get {sorted(set(failed))}")
    if any(response.status != HTTPStatus.SERVICE_UNAVAILABLE for response in logins):
        errors.append(f"logins get {sorted({response.status for response in logins})}")
    if any(not _is_problem(response) for response in logins):
        errors.append("a login gets no problem document with Retry-After")
    slowest = max(response.seconds for response in (*fetches, *logins))
    if slowest > MAX_NEW_SECONDS:
        errors.append("a new request waited long")
    deadline = time.monotonic() + REPLACE_SECONDS
    while not (is_well := bool(log_in(system.url, user))) and time.monotonic() < deadline:
        time.sleep(INTERVAL_SECONDS)
    if not is_well:
        errors.append("no login afterwards")
    if not is_continued and worker.is_running():
        errors.append("the worker was not replaced")
    end = "continues" if is_continued else "is replaced"
    passed = sum(response.is_success for response in fetches)
    refused = sum(response.status == HTTPStatus.SERVICE_UNAVAILABLE for response in logins)
    counts = f"{passed}/{len(fetches)} fetches pass, {refused}/{len(logins)} logins get 503"
    result = f"{counts}, at most {slowest:.1f} s"
    return Row(f"worker of auth hangs, {end}", result, "; ".join(errors))


def _is_problem(response: Response) -> bool:
    media_type = response.headers.get("content-type", "")
    return media_type == "application/problem+json" and "retry-after" in response.headers


def _errors(stopped: float, responses: list[Response]) -> list[str]:
    """Return what is wrong with the first responses."""
    errors = []
    failed = [response for response in responses if not response.is_success]
    if any(response.status not in RETRYABLE for response in failed):
        errors.append(f"statuses {sorted({response.status for response in failed})}")
    if any("retry-after" not in response.headers for response in failed):
        errors.append("no Retry-After")
    if any(response.seconds > MAX_SECONDS for response in responses):
        errors.append("a request in flight waited long")
    new = [response for response in responses if response.started > stopped + NOTICE_SECONDS]
    if any(response.seconds > MAX_NEW_SECONDS for response in new):
        errors.append("a new request waited long")
    return errors


def _is_replaced(master: psutil.Process, worker: psutil.Process, writes: list[Write]) -> bool:
    """Return whether another worker has responded."""
    others = [child for child in master.children() if child.pid != worker.pid]
    last = writes[-2].responses if len(writes) > 1 else []
    return bool(others) and bool(last) and last[-1].is_success


def _master(system: LocalSystem, service: str) -> psutil.Process:
    children = psutil.Process(system.process.pid).children()
    return next(p for p in children if f"{service}.app" in " ".join(p.cmdline()))
