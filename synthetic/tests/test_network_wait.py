"""Runs in a pod that the network of a cluster admits late."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.mock_api import write_call

PROGRAM = Path(sys.executable).with_name("synthetic")
LATE_SECONDS = 1.5  # the first connections are refused
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def late_server(connections: int = 1) -> Iterator[str]:
    """Refuse connections at first, accept some, and refuse the others; yield the URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))  # refuses connections until listen()

    def serve() -> None:
        time.sleep(LATE_SECONDS)
        listener.listen()
        for number in range(1, connections + 1):
            connection, _ = listener.accept()
            if number == connections:
                listener.close()
            with connection:
                connection.recv(65536)
                connection.sendall(RESPONSE)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def probe(file: Path, url: str, *options: str) -> dict[str, Any]:
    """Run the journey of a file once, and return its result."""
    command = [str(PROGRAM), "probe", str(file), "--url", url, "--retries", "0", *options]
    done = subprocess.run(
        [*command, "--output", "json"], capture_output=True, text=True, check=False, timeout=60
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_pod_that_is_admitted_late_passes_at_its_first_attempt(tmp_path: Path) -> None:
    with late_server() as url:
        result = probe(write_call(tmp_path, {}), url, "--network-wait", "20")
    assert (result["result"], result["attempt"]) == ("passed", 1)
    (step,) = result["steps"]
    assert max(step["durationMs"], result["durationMs"]) < 1000 * LATE_SECONDS  # without the wait


@pytest.mark.parametrize("options", [(), ("--network-wait", "1")])
def test_a_server_that_stays_away_has_the_reason_of_its_connections(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    file = write_call(tmp_path, {})
    result = probe(file, "http://127.0.0.1:1", *options, "--timeout", "2")
    assert (result["result"], result["reason"]) == ("failed", "connect")
    assert [step["reason"] for step in result["steps"]] == ["connect"]


def test_a_server_that_accepted_a_connection_and_refuses_the_next_has_failed(
    tmp_path: Path,
) -> None:
    file = write_call(tmp_path, {})
    steps = [{"stepId": name, "operationId": "call"} for name in ("first", "second")]
    calls = f"  steps: {json.dumps(steps)}\n"
    text = file.read_text()
    file.write_text(text[: text.index("  steps:")] + calls)
    with late_server() as url:
        result = probe(file, url, "--network-wait", "20")
    assert (result["result"], result["reason"], result["step"]) == ("failed", "connect", "second")
    assert [step["stepId"] for step in result["steps"]] == ["first", "second"]
