"""Somebody else, who fetches a client at a steady pace: a process of its own.

It reads its order as JSON from standard input and prints what it saw as JSON. A fetch is timed from
the moment at which it was due, so that one that is late makes the next ones late as well.
"""

import http.client
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Visit:
    """What to fetch, and how often."""

    port: int  # of 127.0.0.1
    path: str
    token: str
    seconds: float
    pace: float = 0.005  # seconds from one fetch to the next


@dataclass(frozen=True)
class Visited:
    """What came of it."""

    statuses: dict[str, int]
    latencies: list[float]  # milliseconds, in ascending order

    def percentile(self, part: float) -> float:
        """Return the latency that a part of the fetches kept below."""
        return self.latencies[int(len(self.latencies) * part)]


def visit(order: Visit) -> Visited:
    """Fetch, and return what was seen."""
    connection = http.client.HTTPConnection("127.0.0.1", order.port, timeout=10)
    headers = {"Authorization": f"Bearer {order.token}"}
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    began = time.perf_counter()
    for number in range(int(order.seconds / order.pace)):
        due = began + number * order.pace
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("GET", order.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        latencies.append((time.perf_counter() - due) * 1000)
        statuses[str(answer.status)] += 1
    return Visited(dict(statuses), sorted(latencies))


if __name__ == "__main__":
    print(json.dumps(asdict(visit(Visit(**json.load(sys.stdin))))))
