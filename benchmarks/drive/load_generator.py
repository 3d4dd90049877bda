"""A closed loop of requests over connections that stay open; a process of its own.

It reads its order as JSON from standard input, and prints what it saw as JSON. Each connection
sends its next request when it has the whole answer to the last one; one that was turned away
(503) waits first for as long as it was told (RFC 9110, Retry-After).
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

from benchmarks.drive.request_plan import Plan, plan

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *([0-9]+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
REFUSED = "503"


@dataclass(frozen=True)
class Order:
    """What to send, and for how long."""

    port: int  # of 127.0.0.1
    operation: str
    token: str
    rows: int
    connections: int
    warmup: float  # seconds that are not measured
    seconds: float
    page: int = 100


@dataclass(frozen=True)
class Seen:
    """What came of it. ``served`` counts the warm-up too; the rest is what was measured.

    Requests that were turned away are counted among the statuses, and nowhere else.
    """

    served: int
    requests: int
    seconds: float
    statuses: dict[str, int]
    lost: int  # connections that ended in the middle of a request
    p50: float  # milliseconds, as the next two
    p99: float
    longest: float
    busy: float  # the part of the time for which the generator itself was computing


class Load:
    """All connections of one order, and what they have seen."""

    def __init__(self, order: Order) -> None:
        """Prepare to follow ``order``."""
        self.order = order
        self.next: Plan = plan(order.operation, order.token, order.rows, order.page)
        self.measuring = self.stopping = False
        self.latencies = array.array("d")
        self.statuses: Counter[str] = Counter()
        self.served = self.lost = self.open = 0
        self.idle = asyncio.Event()

    async def run(self) -> Seen:
        """Follow the order."""
        loop = asyncio.get_running_loop()
        for _ in range(self.order.connections):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.order.port)
        await asyncio.sleep(self.order.warmup)
        self.measuring, started, computing = True, time.perf_counter(), time.process_time()
        await asyncio.sleep(self.order.seconds)
        self.measuring, took = False, time.perf_counter() - started
        busy = (time.process_time() - computing) / took
        self.stopping = True
        await asyncio.wait_for(self.idle.wait(), 30)
        return self._seen(took, busy)

    def answered(self, status: str, latency: float) -> None:
        """Note one answer."""
        self.served += status != REFUSED
        if self.measuring:
            self.statuses[status] += 1
            if status != REFUSED:
                self.latencies.append(latency)

    def _seen(self, took: float, busy: float) -> Seen:
        ordered = sorted(self.latencies) or [0.0]
        p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
        return Seen(
            served=self.served,
            requests=len(self.latencies),
            seconds=took,
            statuses=dict(self.statuses),
            lost=self.lost,
            p50=p50,
            p99=p99,
            longest=ordered[-1] * 1000,
            busy=busy,
        )


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._load.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(_END)
        if head < 0:
            return
        length = _LENGTH.search(self._received, 0, head + len(_END))
        if length is None:
            message = f"an answer without a Content-Length: {self._received[:head]!r}"
            raise ValueError(message)
        if len(self._received) < head + len(_END) + int(length[1]):
            return
        status = self._received[9:12].decode()
        self._load.answered(status, time.perf_counter() - self._sent_at)
        later = _RETRY_AFTER.search(self._received, 0, head + len(_END))
        self._received = b""
        self._waiting = False
        if status == REFUSED and later:
            asyncio.get_running_loop().call_later(int(later[1]), self._send)
        else:
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.open -= 1
        self._load.lost += self._waiting
        if self._load.open == 0:
            self._load.idle.set()

    def _send(self) -> None:
        assert self._transport is not None  # noqa: S101 - it is connected
        if self._load.stopping:
            self._transport.close()
            return
        self._waiting = True
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.next())


def main() -> None:
    """Follow the order on standard input."""
    order = Order(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(Load(order).run())), sys.stdout)


if __name__ == "__main__":
    main()
