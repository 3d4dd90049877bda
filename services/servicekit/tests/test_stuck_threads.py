"""A worker whose handler threads are all stuck is replaced; one with much work is not."""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import pytest

from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.telemetry import logs
from servicekit.testing import GunicornServer, gunicorn_server, wait_until

THREADS = 2
TIMEOUT = 5  # seconds between heartbeats
REQUEST_SECONDS = 0.5
BUSY_SECONDS = 2 * TIMEOUT
_lock = threading.Lock()


def create_app() -> WsgiBridge:
    """Return an application, for gunicorn, whose threads can deadlock."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/deadlock":
            for _ in range(2):
                _lock.acquire()
        elif environ["PATH_INFO"] == "/work":
            time.sleep(REQUEST_SECONDS)
        start_response("200 OK", [])
        return [b""]

    logs.configure("stuck", "INFO")
    return WsgiBridge(app, threads=THREADS, body_limit=10, overload_response=(503, [], b""))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[GunicornServer]:
    """The application under gunicorn, with the settings of the services and a short time-out."""
    settings = {
        "GUNICORN_CMD_ARGS": f"--timeout {TIMEOUT}",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    application = f"{Path(__file__).stem}:create_app()"
    with gunicorn_server("stuck", settings, application, log=tmp_path / "log") as service:
        yield service


def get(service: GunicornServer, path: str) -> int:
    """Return the status of a response, or 0 if the connection was closed."""
    try:
        return httpx.get(f"{service.url}{path}", timeout=60).status_code
    except httpx.TransportError:
        return 0


def test_a_worker_whose_threads_are_deadlocked_is_replaced(
    service: GunicornServer, tmp_path: Path
) -> None:
    before = service.workers
    with ThreadPoolExecutor(THREADS) as callers:
        stuck = [callers.submit(get, service, "/deadlock") for _ in range(THREADS)]
        wait_until(lambda: service.workers not in ([], before), "another worker", 10 * TIMEOUT)
        wait_until(lambda: get(service, "/") == 200, "the worker to respond", 10 * TIMEOUT)
        assert {each.result() for each in stuck} == {0}
    assert "no handler thread is free" in (tmp_path / "log").read_text()
    assert "create_app.<locals>.app:" in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_a_worker_with_more_work_than_threads_is_not_replaced(service: GunicornServer) -> None:
    before = service.workers
    end = time.monotonic() + BUSY_SECONDS

    def work(_: int) -> set[int]:
        statuses = set()
        while time.monotonic() < end:
            statuses.add(get(service, "/work"))
        return statuses

    with ThreadPoolExecutor(4 * THREADS) as callers:
        statuses = set().union(*callers.map(work, range(4 * THREADS)))
    assert 200 in statuses
    assert 0 not in statuses
    assert service.workers == before
