"""Call rate of one Locust process against a static response: the load generator's own limit."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

DURATION_SECONDS = 4
USERS = 16
LOCUSTFILE = Path(__file__).with_name("ceiling_locustfile.py")
RESPONSE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"id":1}'


class CeilingError(Exception):
    """The load generator could not be measured; the message gives the reason."""


class _StaticProtocol(asyncio.Protocol):
    """Sends the same response to every request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):  # the end of a GET: the load generator sends nothing else
            assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - it is TCP
            self._transport.write(RESPONSE)


async def serve() -> None:
    """Serve on a free port, which is printed, until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_StaticProtocol, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def measure(seconds: int = DURATION_SECONDS) -> float:
    """Return the calls a second of one process.

    Raises:
        CeilingError: Locust failed, or sent no request.

    """
    command = [sys.executable, "-m", "load", "static"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None  # noqa: S101 - it is a pipe
        assert server.stdout is not None  # noqa: S101 - as above
        try:
            port = int(server.stdout.readline())
            # on a busy machine Locust may need longer than the first try to start
            for duration in (seconds, 4 * seconds):
                if rate := _run_locust(port, duration):
                    return rate
            raise CeilingError(
                f"Locust sent no request in {duration} s: is the machine overloaded?"
            )
        finally:
            server.stdin.close()  # which ends it


def _run_locust(port: int, seconds: int) -> float:
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
        raise CeilingError(f"Locust exited with {done.returncode}: {done.stderr[-500:]}")
    entries = json.loads(done.stdout)  # one for the only request, or none
    if not entries:
        return 0.0
    duration = float(entries[0]["last_request_timestamp"]) - float(entries[0]["start_time"])
    return float(entries[0]["num_requests"]) / duration if duration > 0 else 0.0
