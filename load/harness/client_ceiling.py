"""The client's own cost: how many calls one Locust process makes against a static answer."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

SECONDS = 4
USERS = 16
LOCUSTFILE = Path(__file__).with_name("ceiling_locustfile.py")
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"id":1}'


class CostError(Exception):
    """The client's cost could not be measured; the message says why."""


class _Static(asyncio.Protocol):
    """Answers every request with the same bytes, whatever it was."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):  # a GET, whole: nothing else is sent here
            assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - it is TCP
            self._transport.write(ANSWER)


async def serve() -> None:
    """Answer on a free port, which is printed, until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Static, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def measure(seconds: int = SECONDS) -> float:
    """Return how many calls a second one process makes.

    Raises:
        CostError: Locust did not run.

    """
    command = [sys.executable, "-m", "load", "static"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        try:
            return _call(int(server.stdout.readline()), seconds)
        finally:
            server.terminate()


def _call(port: int, seconds: int) -> float:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)),
            *("--headless", "--only-summary", "--json", "--loglevel", "ERROR"),
            *("-u", str(USERS), "-r", "1000", "-t", f"{seconds}s"),
            *("--host", f"http://127.0.0.1:{port}"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    if done.returncode:
        raise CostError(f"Locust ended with {done.returncode}: {done.stderr[-500:]}")
    (entry,) = json.loads(done.stdout)
    took = float(entry["last_request_timestamp"]) - float(entry["start_time"])
    return float(entry["num_requests"]) / took
