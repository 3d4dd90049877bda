"""How full threads, pools and queues are while somebody watches, as the services' metrics tell."""

import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from load.harness.background_sampler import Lookout

EVERY = 0.5  # seconds between two looks; the services themselves look as often
PATIENCE = 2.0  # seconds for an answer
TARGETS = "metrics.json"  # of a data folder: Prometheus' file_sd format

Look = dict[str, float]  # of one service: each metric, added up over those who told it


class InsideError(Exception):
    """The metrics cannot be found; the message says why and what to do."""


@dataclass(frozen=True)
class Inside:
    """What one service had in use, and who waited: means of a look."""

    threads: float = 0.0
    threads_busy: float = 0.0
    waiting: float = 0.0  # requests, for a thread
    connections: float = 0.0
    connections_in_use: float = 0.0
    hashes_waiting: float = 0.0
    lag: float = 0.0  # seconds by which the event loop was late


def targets(data: Path, given: Collection[str]) -> list[str]:
    """Return whom to ask, as ``host:port``: the ones given, or those of the run of a data folder.

    Raises:
        InsideError: the folder's list is none.

    """
    path = data / TARGETS
    if given or not path.exists():
        return list(given)
    try:
        return [address for group in json.loads(path.read_text()) for address in group["targets"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InsideError(
            f"{path} is no list of targets as Prometheus has it: {error!r}"
        ) from error


class Looks(Lookout):
    """Looks at services until the end of its ``with`` block; one that is silent is left out."""

    def __init__(self, addresses: Collection[str]) -> None:
        """Ask these, each a ``host:port``, for their metrics."""
        super().__init__()
        self._urls = [f"http://{address}/metrics" for address in addresses]
        self._looks: dict[str, list[Look]] = defaultdict(list)

    def fullest(self, seconds: float) -> Mapping[str, Inside]:
        """Return what each service told in its fullest ``seconds``, by the service's name."""
        count = max(1, round(seconds / EVERY))
        return {name: _mean(looks, count) for name, looks in list(self._looks.items())}

    def _watch(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            due = time.monotonic()
            while self._urls and not self._stop.wait(max(0.0, due - time.monotonic())):
                due = time.monotonic() + EVERY
                for service, look in self._look(http).items():
                    self._looks[service].append(look)

    def _look(self, http: httpx.Client) -> dict[str, Look]:
        found: dict[str, Look] = defaultdict(lambda: defaultdict(float))
        for url in self._urls:
            try:
                text = http.get(url).raise_for_status().text
            except httpx.HTTPError:
                continue
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.labels.keys() == {"service"}:  # what an operation did is seen outside
                        found[sample.labels["service"]][sample.name] += sample.value
        return found


def _mean(looks: list[Look], count: int) -> Inside:
    """Return the mean of the looks with the most to do."""
    insides = [_inside(*pair) for pair in zip(looks[:1] + looks, looks, strict=False)]
    insides.sort(key=lambda i: i.threads_busy + i.waiting + i.hashes_waiting)
    fullest = insides[-count:]
    names = Inside.__dataclass_fields__
    return Inside(**{n: sum(getattr(i, n) for i in fullest) / len(fullest) for n in names})


def _inside(before: Look, now: Look) -> Inside:
    ticks = (
        now["cadastro_event_loop_lag_seconds_count"]
        - before["cadastro_event_loop_lag_seconds_count"]
    )
    late = (
        now["cadastro_event_loop_lag_seconds_sum"] - before["cadastro_event_loop_lag_seconds_sum"]
    )
    return Inside(
        threads=now["cadastro_handler_threads"],
        threads_busy=now["cadastro_handler_threads_busy"],
        waiting=now["cadastro_requests_queued"],
        connections=now["cadastro_database_connections_max"],
        connections_in_use=now["cadastro_database_connections_in_use"],
        hashes_waiting=now["cadastro_password_hashes_queued"],
        lag=late / ticks if ticks > 0 else 0.0,
    )
