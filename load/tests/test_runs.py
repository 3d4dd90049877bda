"""Runs against a real system: a slow operation is found, and all rows are deleted."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from load.users.journey_replayer import JourneyReplayer, recorded_outcome
from load.users.token_provider import LoginError, read_secret
from tests.support.load.synthetic_token import monitor_headers
from tests.support.local_system import is_healthy, running
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


def load(*options: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m load`."""
    command = [sys.executable, "-m", "load", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@contextmanager
def slowed(url: str, method: str, path: str) -> Iterator[str]:
    """Run a proxy that delays one operation by 200 ms, and yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.load.slow_proxy", url, method, path, str(port)]
    with subprocess.Popen(command) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Wait until the system is healthy."""
    deadline = time.monotonic() + 60
    while not is_healthy(url):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rows(url: str, secret: Path) -> dict[str, int]:
    """Return the number of rows in the realm of the monitors."""
    with httpx.Client(base_url=url, headers=monitor_headers(url, secret)) as client:
        paths = ("/clients/fetch", "/address/fetch", "/products/fetch")
        return {path: len(client.get(path).json()) for path in paths}


@pytest.mark.long
def test_a_slow_operation_is_named_and_all_rows_are_deleted(
    data_folder: Path, tmp_path: Path
) -> None:
    secret = data_folder / "secrets" / "oauth-clients" / "synthetic"
    order = ["--secret-file", str(secret), "--reports", str(tmp_path / "reports")]
    order += ["--rate", "20", "--duration", "10", "--no-cost"]
    with running(data_folder) as system:
        replayed = [JourneyReplayer(system.url, str(secret)).replay() for _ in range(4)]
        assert [recorded_outcome(result) for result in replayed] == ["ok"] * 4
        assert (
            JourneyReplayer(system.url).replay().journey.endswith("-health")
        )  # the only journeys without a secret
        soak = load("run", "--url", system.url, "--secret-file", str(secret), "--shape", "soak")
        assert soak.returncode == 2  # its rows would be purged before it ends
        assert "live realm" in soak.stderr
        before = rows(system.url, secret)
        with slowed(system.url, "GET", "/inventory/list_products_ids/") as url:
            done = load("run", "--url", url, *order)
        assert done.returncode == 1, done.stderr
        missed = [line for line in done.stderr.splitlines() if line.startswith("load: MISS")]
        slow = "p50 of GET /inventory/list_products_ids/[id]"
        assert any(slow in line for line in missed), missed
        assert rows(system.url, secret) == before
        saved = json.loads(next(tmp_path.glob("reports/*/run.json")).read_text())
        seen = saved["consistency"]
        assert seen["wrong"] == []
        assert 0 < seen["least"] <= seen["listed"] <= seen["most"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (b"\xff\xfes\0", "is not text in UTF-8"),
    ],
    ids=["empty", "only a byte order mark", "UTF-16"],
)
def test_an_unusable_secret_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(LoginError, match=f"SECRET_FILE: {file} {message}"):
        read_secret(str(file))


def test_a_secret_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s\r\n", encoding="utf-8-sig")
    assert read_secret(str(tmp_path / "secret")) == "s"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("run", "--url", "http://127.0.0.1:9"), "make run"),
        (("run", "--url", "http://[::1"), "URL must be like https://"),
        (("clean", "load-1", "--url", "http://[::1"), "load: "),
        (("capacity", "--url", "http://[fe80::1%25eth0]:8080"), "URL must have no zone"),
        (("run", "--rate", "0"), "above 0"),
        (("run", "--rate", "nan"), "above 0"),
        (("run", "--users", "inf"), "above 0"),
        (("run", "--duration", "nan"), "above 0"),
        (("capacity", "--low", "nan"), "above 0"),
        (("run", "--shape", "wild"), "wild"),
        (("run", "--compare", "/nonexistent", "--url", "http://127.0.0.1:9"), "not a saved run"),
        (("run", "--compare", "/etc/passwd", "--url", "http://127.0.0.1:9"), "not a saved run"),
        (("run", "--compare", "/", "--url", "http://127.0.0.1:9"), "not a saved run"),
        (("capacity", "--url", "http://127.0.0.1:9"), "make run"),
        (("run", "--users", "5"), "--users has no effect in the open model: use --rate"),
        (("run", "--model", "closed", "--rate", "5"), "use --users, or --model open"),
        (("run", "--web-port", "9000"), "--web-port has no effect without --web"),
        (("run", "--web", "--web-port", "99999"), "must be a port from 1 to 65535, and is '99999'"),
        (("run", "--web", "--web-port", "0"), "must be a port from 1 to 65535, and is '0'"),
        (("run", "--", "--users", "5"), "--users has no effect after --: use --rate"),
        (("run", "--", "-u5"), "-u has no effect after --: use --rate"),
        (("run", "--", "--master", "--run-time=5m"), "--run-time has no effect after --"),
        (("clean", "load-1", "--reports", "x"), "unrecognized arguments: --reports"),
        *(
            ((command, "--url", "http://127.0.0.1:9", "--reports", folder), "--reports: no files")
            for command in ("run", "capacity")
            for folder in ("/dev/null", "/dev/null/reports", "/proc/reports")
        ),
    ],
)
def test_an_impossible_run_ends_with_one_sentence(options: tuple[str, ...], message: str) -> None:
    done = load(*options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_used_port_of_the_web_page_ends_the_run_before_it_begins() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = load("run", "--url", "http://127.0.0.1:9", "--web", "--web-port", str(port))
    assert done.returncode == 2
    message = f"load: the web page cannot have the port {port} (Address already in use): choose"
    assert done.stderr.startswith(message)


def test_a_failed_registration_is_reported_with_its_response(tmp_path: Path) -> None:
    health = tmp_path / "www" / "clients" / "health"
    health.parent.mkdir(parents=True)
    health.touch()  # a file server: the health check succeeds, and POST is not supported
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen([*command, "--directory", str(tmp_path / "www")]) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url)
            done = load("run", "--url", url, "--reports", str(tmp_path / "reports"), "--no-cost")
        finally:
            server.terminate()
    assert done.returncode == 2, done.stderr
    assert "POST /users/create returned 501" in done.stderr
