"""A service under test on a port of its own, and what it is told."""

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
from servicekit.testing.issuer import Issuer
from servicekit.testing.notes import keep_logs

CONTRACTS = Path(__file__).parents[5] / "openapi"  # tests run from a checkout
PATIENCE = 10.0  # seconds


@contextmanager
def serve(app: WsgiBridge, *, ready: bool = True) -> Iterator[str]:
    """Run an application on a free port; yield its URL when it is ``ready``, or at least lives."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="on",
        server_header=False,
    )
    logging.getLogger("uvicorn.access").propagate = False  # nor does it speak under gunicorn
    keep_logs()
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
        thread.join(PATIENCE)


def wait_until(is_so: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait until ``is_so()``; raises ``TimeoutError`` that names ``what`` when it never is."""
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            message = f"waited {patience:.0f} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.02)


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    """Set environment variables for a while."""
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


def peer_settings(issuer: Issuer, database_url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a service that trusts ``issuer``; ``folder`` takes its secret."""
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
