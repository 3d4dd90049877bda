"""Metrics of the locations of monitors; a monitor without locations has none of them."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from synthetic.operator.location_view import NO_VERDICT, LocationView
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.run_result import RESULTS

PREFIX = "cadastro_synthetic_monitor_location"


def collect(views: Sequence[MonitorView], names: tuple[str, ...]) -> Iterator[Metric]:
    """Yield the metric families; ``names`` are the labels of monitors, ``location`` is another."""
    runs = CounterMetricFamily(
        f"{PREFIX}_runs", "Completed runs of a location by result", labels=(*names, "result")
    )
    up = GaugeMetricFamily(
        f"{PREFIX}_up",
        "1 if the location passes, 0 if it fails; absent while unknown",
        labels=names,
    )
    failures = GaugeMetricFamily(
        f"{PREFIX}_consecutive_failures",
        "Failed runs of a location since its last passed run",
        labels=names,
    )
    quorum = GaugeMetricFamily(
        "cadastro_synthetic_monitor_quorum",
        "Failing locations that make the monitor unhealthy",
        labels=names[:-1],
    )
    for view in views:
        if view.locations:
            quorum.add_metric(view.key_labels, view.spec.quorum)
        for location in view.locations:
            labels = (*view.key_labels, location.name)
            _add_runs(runs, labels, location)
            failures.add_metric(labels, location.history.consecutive_failures)
            if location.state not in NO_VERDICT:
                up.add_metric(labels, float(location.state != "down"))
    yield from (runs, up, failures, quorum)


def _add_runs(family: CounterMetricFamily, labels: tuple[str, ...], location: LocationView) -> None:
    for result in RESULTS:
        family.add_metric((*labels, result), location.history.totals[result])
    family.add_metric((*labels, "maintenance"), location.history.in_maintenance)
