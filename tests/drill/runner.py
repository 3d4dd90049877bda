"""The order of the exercises, and their table."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from localstack.catalogue import SERVICES
from tests.drill import manifests
from tests.drill.experiment import Exercise, Row
from tests.drill.faults import FAULTS, Fault, Site
from tests.drill.observer import look_out
from tests.support.cluster import Cluster

WAYS = ("both", "request", "schedule")
TITLES = ("fault", "service", "started by", "runs", "unhealthy", "reason", "alert", "recovered", "")


@dataclass(frozen=True)
class Part:
    """A fault of a service, and what starts the monitor's runs."""

    fault: Fault
    service: str
    started_by: str


def drill(cluster: Cluster, url: str, parts: Iterable[Part]) -> Iterator[Row]:
    """Put up what is needed, and yield a row for each part, for a release at ``url``.

    Raises:
        ClusterError: the cluster refuses.
        PromtoolError: there is no Prometheus.

    """
    items = manifests.objects(cluster, url)
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.apply(document)
    try:
        cluster.wait_for_rollouts(f"deployment/{manifests.PROXY}")
        with look_out(cluster) as lookout:
            for part in parts:
                site = Site(cluster, url)
                yield Exercise(site, lookout, part.fault, part.service, part.started_by).run()
    finally:
        cluster.apply(document, "--ignore-not-found", verb="delete")


def whole(faults: Sequence[str], services: Sequence[str], by: str) -> list[Part]:
    """Return each of the faults of each of the services, by their names."""
    return [
        Part(fault, service, _started_by(place, service, services, by))
        for place, fault in enumerate(FAULTS)
        if fault.name in faults
        for service in services
    ]


def diagonal() -> list[Part]:
    """Return each fault once, of one service after the other."""
    return [
        Part(fault, SERVICES[place % len(SERVICES)], "request")
        for place, fault in enumerate(FAULTS)
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the rows for people."""
    lines = [TITLES, *map(_cells, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(TITLES))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    times = (row.seconds, row.alert_seconds, row.recovered_seconds)
    unhealthy, alert, recovered = (f"{seconds:.1f} s" if seconds else "-" for seconds in times)
    return (
        row.fault,
        row.service,
        row.started_by,
        str(row.runs or "-"),
        unhealthy,
        row.reason or "-",
        alert,
        recovered,
        row.told,
    )


def _started_by(place: int, service: str, services: Sequence[str], by: str) -> str:
    """Return what starts the runs: in the mixed way, each fault is scheduled for one service."""
    if by != "both":
        return by
    return "schedule" if service == services[place % len(services)] else "request"
