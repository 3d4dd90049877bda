"""Metrics of the monitors, computed from their status at each scrape.

The status persists the counters, so a restart does not reset them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from synthetic.operator import location_metrics
from synthetic.operator.durations import RUN_BOUNDS, STEP_BOUNDS, Histogram, Histograms
from synthetic.operator.location_view import NO_VERDICT
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.run_result import FAILED, RESULTS
from synthetic.operator.status import UPTIME_WINDOWS

LABELS = ("namespace", "monitor", "journey", "severity")
Sample = tuple[tuple[str, ...], float]


def collect(views: Sequence[MonitorView], now: datetime) -> Iterator[Metric]:
    """Yield one metric family for each property of the monitors; windows end at ``now``."""
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
    yield from _durations(views)
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
        ((v.key_labels, _epoch(v.history.last_success)) for v in views if v.history.last_success),
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


def _family(
    name: str, documentation: str, samples: Iterable[Sample], more: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        f"cadastro_synthetic_monitor_{name}", documentation, labels=(*LABELS, *more)
    )
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _failures(views: Sequence[MonitorView]) -> CounterMetricFamily:
    family = CounterMetricFamily(
        "cadastro_synthetic_monitor_failures",
        "Runs that failed or had an error, by reason",
        labels=(*LABELS, "reason"),
    )
    for view in views:
        for reason, count in view.history.reasons.items():
            family.add_metric((*view.key_labels, reason), count)
    return family


def _durations(views: Sequence[MonitorView]) -> Iterator[HistogramMetricFamily]:
    each = [(view.key_labels, view.history.durations) for view in views]
    yield _histogram(
        "run_duration_seconds",
        "Durations of passed and failed runs, with their retries and clean-up",
        ((labels, durations.runs) for labels, durations in each),
        RUN_BOUNDS,
    )
    yield _histogram(
        "step_duration_seconds",
        "Durations of the steps of passed and failed runs, with their retries",
        _named((labels, durations.steps) for labels, durations in each),
        STEP_BOUNDS,
        "step",
    )
    yield _histogram(
        "phase_duration_seconds",
        "Durations of the phases of the requests of passed and failed runs",
        _named((labels, durations.phases) for labels, durations in each),
        STEP_BOUNDS,
        "phase",
    )


def _named(
    each: Iterable[tuple[tuple[str, ...], Histograms]],
) -> Iterator[tuple[tuple[str, ...], Histogram]]:
    for labels, histograms in each:
        for name, histogram in histograms.items():
            yield (*labels, name), histogram


def _histogram(
    name: str,
    documentation: str,
    histograms: Iterable[tuple[tuple[str, ...], Histogram]],
    bounds: tuple[float, ...],
    *more: str,
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        f"cadastro_synthetic_monitor_{name}", documentation, labels=(*LABELS, *more)
    )
    for labels, histogram in histograms:
        family.add_metric(labels, histogram.buckets(bounds), histogram.sum_us / 1_000_000)
    return family


def _up(views: Sequence[MonitorView]) -> Iterator[Sample]:
    for view in views:
        if view.state not in NO_VERDICT:
            yield view.key_labels, float(view.state != "down")


def _conditions(views: Sequence[MonitorView]) -> Iterator[Sample]:
    for view in views:
        for condition in (view.healthy, view.ready, view.conflict):
            if condition:
                found = (condition["type"], condition["status"], condition["reason"])
                yield (*view.key_labels, *found), 1


def _uptimes(views: Sequence[MonitorView], now: datetime) -> Iterator[Sample]:
    for view in views:
        for window in UPTIME_WINDOWS:
            share = view.history.uptime(window, now)
            if share is not None:
                yield (*view.key_labels, window), share


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
