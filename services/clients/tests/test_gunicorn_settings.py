"""Settings that gunicorn's configuration reads."""

import os
import re
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from servicekit.testing import GUNICORN, FakeIssuer, gunicorn_server, peer_settings

pytestmark = pytest.mark.covers_subprocesses

TIMEOUT = 20.0  # seconds; far below the default of the setting
REQUEST = b"GET /-/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def settings(database_url: str, issuer: FakeIssuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service."""
    return peer_settings(issuer, database_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


def start(**settings: str) -> "subprocess.CompletedProcess[str]":
    """Check the configuration with more settings, but without those of the service."""
    env = {**os.environ, "SERVICE": "clients", **settings}
    command = [*GUNICORN, "--print-config"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_an_idle_connection_is_closed_after_the_set_time(settings: dict[str, str]) -> None:
    with gunicorn_server("clients", {**settings, "KEEP_ALIVE": "1"}) as service:
        url = urlsplit(service.url)
        with socket.create_connection((url.hostname, url.port), TIMEOUT) as idle:
            idle.sendall(REQUEST)
            received = b""
            while chunk := idle.recv(4096):
                received += chunk
    assert received.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("value", "seconds"), [("600", "600"), ("3600\n", "3600")])
def test_connections_may_be_kept_for_an_hour(value: str, seconds: str) -> None:
    assert re.search(rf"^keepalive += {seconds}$", start(KEEP_ALIVE=value).stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEEP_ALIVE", "0"),
        ("KEEP_ALIVE", "ten"),
        ("WORKERS", "many"),
        ("WORKERS", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_an_invalid_setting_of_the_server_is_named(name: str, value: str) -> None:
    done = start(**{name: value})
    assert done.returncode != 0
    assert f"  {name}: It must be" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["::1", "127.0.0.1"])
def test_a_service_listens_on_addresses_of_both_families(
    settings: dict[str, str], address: str
) -> None:
    with gunicorn_server("clients", settings, address=address) as service:
        assert httpx.get(f"{service.url}/clients/health").status_code == 200
        assert httpx.get(f"{service.url}/clients/fetch").status_code == 401
