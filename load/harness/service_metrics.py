"""Utilisation of threads, pools and queues during a run, from the services' Prometheus metrics."""

import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from load.harness.background_sampler import BackgroundSampler

INTERVAL_SECONDS = 0.5  # the services update their metrics as often
TIMEOUT_SECONDS = 2.0
TARGETS_FILE = "metrics.json"  # of a data folder: Prometheus' file_sd format

Sample = dict[str, float]  # of one service: each metric, summed over its processes


class MetricsError(Exception):
    """The metrics targets cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class Utilisation:
    """Means of one service's gauges."""

    threads: float = 0.0
    threads_busy: float = 0.0
    waiting: float = 0.0  # requests that wait for a thread
    connections: float = 0.0
    connections_in_use: float = 0.0
    hashes_waiting: float = 0.0
    lag: float = 0.0  # seconds of event loop delay


def metrics_targets(data: Path, given: Collection[str]) -> list[str]:
    """Return the metrics targets as ``host:port``: the given ones, or those of a data folder.

    Raises:
        MetricsError: the folder's target file is invalid.

    """
    path = data / TARGETS_FILE
    if given or not path.exists():
        return list(given)
    try:
        return [address for group in json.loads(path.read_text()) for address in group["targets"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MetricsError(f"{path} is not in Prometheus' file_sd format: {error!r}") from error


class MetricsSampler(BackgroundSampler):
    """Scrapes services within its ``with`` block; it skips those that do not respond."""

    def __init__(self, targets: Collection[str]) -> None:
        """Scrape these targets, each a ``host:port``."""
        super().__init__()
        self._urls = [f"http://{target}/metrics" for target in targets]
        self._samples: dict[str, list[Sample]] = defaultdict(list)

    def busiest(self, seconds: float) -> Mapping[str, Utilisation]:
        """Return each service's utilisation over its busiest ``seconds``, by its name."""
        count = max(1, round(seconds / INTERVAL_SECONDS))
        return {name: _busiest_mean(some, count) for name, some in list(self._samples.items())}

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
            due = time.monotonic()
            while self._urls and not self._stop.wait(max(0.0, due - time.monotonic())):
                due = time.monotonic() + INTERVAL_SECONDS
                for service, sample in self._scrape(http).items():
                    self._samples[service].append(sample)

    def _scrape(self, http: httpx.Client) -> dict[str, Sample]:
        samples: dict[str, Sample] = defaultdict(lambda: defaultdict(float))
        for url in self._urls:
            try:
                text = http.get(url).raise_for_status().text
            except httpx.HTTPError:
                continue
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.labels.keys() == {"service"}:  # no metrics by operation
                        samples[sample.labels["service"]][sample.name] += sample.value
        return samples


def _busiest_mean(samples: list[Sample], count: int) -> Utilisation:
    """Return the mean of the busiest samples."""
    found = [_utilisation(*pair) for pair in zip(samples[:1] + samples, samples, strict=False)]
    found.sort(key=lambda each: each.threads_busy + each.waiting + each.hashes_waiting)
    busiest = found[-count:]
    names = Utilisation.__dataclass_fields__
    means = {n: sum(getattr(each, n) for each in busiest) / len(busiest) for n in names}
    return Utilisation(**means)


def _utilisation(before: Sample, now: Sample) -> Utilisation:
    def increase(name: str) -> float:
        return now[name] - before[name]

    ticks = increase("cadastro_event_loop_lag_seconds_count")
    lag = increase("cadastro_event_loop_lag_seconds_sum") / ticks if ticks > 0 else 0.0
    return Utilisation(
        threads=now["cadastro_handler_threads"],
        threads_busy=now["cadastro_handler_threads_busy"],
        waiting=now["cadastro_requests_queued"],
        connections=now["cadastro_database_connections_max"],
        connections_in_use=now["cadastro_database_connections_in_use"],
        hashes_waiting=now["cadastro_password_hashes_queued"],
        lag=lag,
    )
