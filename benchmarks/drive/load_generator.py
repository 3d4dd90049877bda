"""Closed-loop load generator over keep-alive connections, run as a separate process.

It reads a ``LoadSpec`` as JSON from standard input, and writes a ``LoadResult`` as JSON. Each
connection sends its next request after the complete response to the last one. After a refusal
(503) it first waits for the Retry-After of the response (RFC 9110).
"""

import array
import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from benchmarks.drive.request_plan import RequestFactory, request_factory

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *([0-9]+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
REFUSED = "503"
DRAIN_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class LoadSpec:
    """The requests to send, and the duration."""

    port: int  # of 127.0.0.1
    operation: str
    token: str
    rows: int
    connections: int
    warmup: float  # seconds that are not measured
    seconds: float
    page: int = 100


@dataclass(frozen=True)
class LoadResult:
    """The measured responses. ``served`` includes the warm-up.

    Refused requests are counted in ``statuses`` alone.
    """

    served: int
    requests: int
    seconds: float
    statuses: dict[str, int]
    lost: int  # connections that the server closed during a request
    p50: float  # milliseconds, as the next two
    p99: float
    longest: float
    busy: float  # CPU time of the generator as a fraction of the duration


class LoadGenerator:
    """The connections of one load, and their responses."""

    def __init__(self, spec: LoadSpec) -> None:
        """Prepare the requests of ``spec``."""
        self.next_request: RequestFactory = request_factory(
            spec.operation, spec.token, spec.rows, spec.page
        )
        self.stopping = False
        self.lost = self.open = 0
        self.all_closed = asyncio.Event()
        self._spec = spec
        self._measuring = False
        self._latencies = array.array("d")
        self._statuses: Counter[str] = Counter()
        self._served = 0

    async def run(self) -> LoadResult:
        """Send the load, and wait for the last responses."""
        loop = asyncio.get_running_loop()
        for _ in range(self._spec.connections):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._spec.port)
        await asyncio.sleep(self._spec.warmup)
        self._measuring, started, cpu = True, time.perf_counter(), time.process_time()
        await asyncio.sleep(self._spec.seconds)
        self._measuring, duration = False, time.perf_counter() - started
        busy = (time.process_time() - cpu) / duration
        self.stopping = True
        await asyncio.wait_for(self.all_closed.wait(), DRAIN_TIMEOUT_SECONDS)
        return self._result(duration, busy)

    def record(self, status: str, latency: float) -> None:
        """Record one response, with its latency in seconds."""
        self._served += status != REFUSED
        if self._measuring:
            self._statuses[status] += 1
            if status != REFUSED:
                self._latencies.append(latency)

    def _result(self, duration: float, busy: float) -> LoadResult:
        latencies = sorted(self._latencies) or [0.0]
        p50, p99 = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
        return LoadResult(
            served=self._served,
            requests=len(self._latencies),
            seconds=duration,
            statuses=dict(self._statuses),
            lost=self.lost,
            p50=p50,
            p99=p99,
            longest=latencies[-1] * 1000,
            busy=busy,
        )


class _Connection(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, generator: LoadGenerator) -> None:
        self._generator = generator
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self._in_flight = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._generator.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(_END)
        if head < 0:
            return
        length = _LENGTH.search(self._received, 0, head + len(_END))
        if length is None:
            raise ValueError(f"a response without Content-Length: {self._received[:head]!r}")
        if len(self._received) < head + len(_END) + int(length[1]):
            return
        status = self._received[9:12].decode()
        self._generator.record(status, time.perf_counter() - self._sent_at)
        retry_after = _RETRY_AFTER.search(self._received, 0, head + len(_END))
        self._received = b""
        self._in_flight = False
        if status == REFUSED and retry_after:
            asyncio.get_running_loop().call_later(int(retry_after[1]), self._send)
        else:
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        self._generator.open -= 1
        self._generator.lost += self._in_flight
        if self._generator.open == 0:
            self._generator.all_closed.set()

    def _send(self) -> None:
        assert self._transport is not None  # noqa: S101 - it is connected
        if self._generator.stopping:
            self._transport.close()
            return
        self._in_flight = True
        self._sent_at = time.perf_counter()
        self._transport.write(self._generator.next_request())


def main() -> None:
    """Send the load of the specification on standard input."""
    spec = LoadSpec(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(LoadGenerator(spec).run())), sys.stdout)


if __name__ == "__main__":
    main()
