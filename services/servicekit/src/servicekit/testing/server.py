"""Servers in this process for services under test, and their environment."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.testing.issuer import FakeIssuer
from servicekit.testing.recorder import copy_logs

CONTRACTS = Path(__file__).parents[5] / "openapi"  # tests run from a checkout
TIMEOUT = 10.0  # seconds


@contextmanager
def serve(app: WsgiBridge, *, ready: bool = True) -> Iterator[str]:
    """Run an application on a free port and yield its URL, once ``ready`` or at least started."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="on",
        server_header=False,
    )
    logging.getLogger("uvicorn.access").propagate = False  # as under gunicorn
    copy_logs()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the server to start")
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        if ready:
            wait_until(lambda: httpx.get(f"{url}/-/ready").is_success, "the service to be ready")
        yield url
    finally:
        server.should_exit = True
        thread.join(TIMEOUT)


def wait_until(condition: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
    """Wait until ``condition()`` holds; otherwise raise a ``TimeoutError`` that names ``what``."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.02)


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    """Set environment variables in a context."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def peer_settings(
    issuer: FakeIssuer, database_url: str, folder: Path, **more: str
) -> dict[str, str]:
    """Return the environment of a service that trusts ``issuer``; write a secret to ``folder``."""
    secret = folder / "client-secret"
    secret.write_text("not-secret-in-tests")
    return {
        "DATABASE_URL": database_url,
        "CONTRACTS_DIR": str(CONTRACTS),
        "JWKS_URL": issuer.url,
        "TOKEN_URL": issuer.url.replace("jwks.json", "token"),
        "SERVICE_CLIENT_ID": "tests",
        "SERVICE_CLIENT_SECRET_FILE": str(secret),
        **more,
    }
