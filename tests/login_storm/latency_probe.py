"""Latency probe: a process that fetches a client at a constant rate.

It reads its configuration as JSON from standard input, and prints its result as JSON. The latency
of a request counts from its scheduled time, so that a late request also delays the next ones.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass

from tests.support.http_caller import HttpCaller


@dataclass(frozen=True)
class ProbeConfig:
    """The request, its rate and its duration."""

    port: int  # of 127.0.0.1
    path: str
    token: str
    seconds: float
    interval: float = 0.005  # seconds from one request to the next


@dataclass(frozen=True)
class ProbeResult:
    """Statuses and latencies of the requests."""

    statuses: dict[str, int]
    latencies: list[float]  # milliseconds, in ascending order

    def percentile(self, part: float) -> float:
        """Return the latency below which a part of the requests lie."""
        return self.latencies[int(len(self.latencies) * part)]


def probe(config: ProbeConfig) -> ProbeResult:
    """Send the requests, and return their result."""
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    with HttpCaller(f"http://127.0.0.1:{config.port}", config.token) as caller:
        started = time.perf_counter()
        for number in range(int(config.seconds / config.interval)):
            due = started + number * config.interval
            time.sleep(max(0.0, due - time.perf_counter()))
            response = caller.request("GET", config.path)
            latencies.append((time.perf_counter() - due) * 1000)
            statuses[str(response.status)] += 1
    return ProbeResult(dict(statuses), sorted(latencies))


if __name__ == "__main__":
    print(json.dumps(asdict(probe(ProbeConfig(**json.load(sys.stdin))))))
