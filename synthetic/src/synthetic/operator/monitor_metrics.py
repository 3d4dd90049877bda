"""Metrics of the monitors, computed from their status at each scrape.

The status persists the counters, so a restart does not reset them.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from synthetic.operator import location_metrics
from synthetic.operator.location_view import NO_VERDICT
from synthetic.operator.monitor_cache import MonitorCache, MonitorView
from synthetic.operator.run_result import FAILED, RESULTS
from synthetic.operator.status import UPTIME_WINDOWS

LABELS = ("namespace", "monitor", "journey", "severity")
Sample = tuple[tuple[str, ...], float]


class MonitorCollector(Collector):
    """Collects one metric family for each property of the monitors."""

    def __init__(self, cache: MonitorCache, clock: Callable[[], datetime]) -> None:
        """Read from ``cache``; windows end at the time of ``clock``."""
        self._cache = cache
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Return no metrics: registration must not read the cache."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families."""
        views, now = list(self._cache), self._clock()
        runs = CounterMetricFamily(
            "cadastro_synthetic_monitor_runs",
            "Completed runs by result",
            labels=(*LABELS, "result"),
        )
        for view in views:
            for result in RESULTS:
                runs.add_metric((*view.key_labels, result), view.history.totals[result])
            runs.add_metric((*view.key_labels, "maintenance"), view.history.in_maintenance)
        yield runs
        yield _failures(views)
        yield _durations(views)
        yield _family("up", "1 if healthy, 0 if unhealthy; absent while unknown", _up(views))
        yield _family(
            "condition",
            "1 for the current status of each condition",
            _conditions(views),
            ("type", "status", "reason"),
        )
        yield _family(
            "suspended",
            "1 if spec.suspend is true",
            ((view.key_labels, float(view.spec.suspend)) for view in views),
        )
        yield _family(
            "in_maintenance",
            "1 while a maintenance window is in force",
            ((view.key_labels, float(bool(view.maintenance))) for view in views),
        )
        yield _family(
            "consecutive_failures",
            "Failed runs since the last passed run",
            ((view.key_labels, view.history.consecutive_failures) for view in views),
        )
        yield _family(
            "last_run_duration_seconds",
            "Duration of the last run",
            ((v.key_labels, v.last["durationMs"] / 1000) for v in views if v.last),
        )
        yield _family(
            "last_success_timestamp_seconds",
            "Time of the last passed run",
            (
                (v.key_labels, _epoch(v.history.last_success))
                for v in views
                if v.history.last_success
            ),
        )
        yield _family(
            "certificate_expiry_timestamp_seconds",
            "Earliest end of the certificates that the last run has seen; absent while suspended",
            (
                (view.key_labels, _epoch(view.history.certificate_expiry))
                for view in views
                if view.history.certificate_expiry and not view.spec.suspend
            ),
        )
        yield _family(
            "uptime_ratio", "Share of passed runs in a window", _uptimes(views, now), ("window",)
        )
        yield _family(
            "failed_runs",
            "Failed runs in a window",
            (
                (
                    (*view.key_labels, window),
                    view.history.window_counts(window, now)[RESULTS.index(FAILED)],
                )
                for view in views
                for window in UPTIME_WINDOWS
            ),
            ("window",),
        )
        yield _family(
            "slo_objective_ratio",
            "Objective for the share of passed runs",
            ((view.key_labels, view.spec.objective) for view in views),
        )
        if any(view.locations for view in views):
            yield from location_metrics.collect(views, (*LABELS, "location"))


def register(
    registry: CollectorRegistry, cache: MonitorCache, clock: Callable[[], datetime]
) -> None:
    """Register the monitors' metrics."""
    registry.register(MonitorCollector(cache, clock))


def _family(
    name: str, documentation: str, samples: Iterable[Sample], more: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        f"cadastro_synthetic_monitor_{name}", documentation, labels=(*LABELS, *more)
    )
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _failures(views: list[MonitorView]) -> CounterMetricFamily:
    family = CounterMetricFamily(
        "cadastro_synthetic_monitor_failures",
        "Runs that failed or had an error, by reason",
        labels=(*LABELS, "reason"),
    )
    for view in views:
        for reason, count in view.history.reasons.items():
            family.add_metric((*view.key_labels, reason), count)
    return family


def _durations(views: list[MonitorView]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "cadastro_synthetic_monitor_run_duration_seconds",
        "Durations of passed and failed runs, with their retries and clean-up",
        labels=LABELS,
    )
    for view in views:
        durations = view.history.durations
        family.add_metric(view.key_labels, durations.buckets(), durations.sum_ms / 1000)
    return family


def _up(views: list[MonitorView]) -> Iterator[Sample]:
    for view in views:
        if view.state not in NO_VERDICT:
            yield view.key_labels, float(view.state != "down")


def _conditions(views: list[MonitorView]) -> Iterator[Sample]:
    for view in views:
        for condition in (view.healthy, view.ready, view.conflict):
            if condition:
                found = (condition["type"], condition["status"], condition["reason"])
                yield (*view.key_labels, *found), 1


def _uptimes(views: list[MonitorView], now: datetime) -> Iterator[Sample]:
    for view in views:
        for window in UPTIME_WINDOWS:
            share = view.history.uptime(window, now)
            if share is not None:
                yield (*view.key_labels, window), share


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
