"""Runs the cases of a drill, and formats their table."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devstack.service_catalog import SERVICES
from tests.drill import manifests
from tests.drill.experiment import Experiment, Row
from tests.drill.faults import FAULTS, Fault, Target
from tests.drill.observer import Observer, observe
from tests.support.cluster import Cluster

TRIGGERS = ("both", "request", "schedule")
TITLES = ("fault", "service", "started by", "runs", "unhealthy", "reason", "alert", "recovered", "")


@dataclass(frozen=True)
class Case:
    """A fault of a service, and the trigger of the monitor's runs."""

    fault: Fault
    service: str
    trigger: str


@contextmanager
def prepared(cluster: Cluster, url: str) -> Iterator[tuple[Target, Observer]]:
    """Install the proxy and the receiver beside the release at ``url`` during the block.

    Raises:
        CommandError: kubectl failed.
        PromtoolError: there is no Prometheus.

    """
    items = manifests.objects(cluster, url)
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.apply(document)
    try:
        cluster.wait_for_rollouts(f"deployment/{manifests.PROXY}")
        with observe(cluster) as observer:
            yield Target(cluster, url), observer
    finally:
        cluster.apply(document, "--ignore-not-found", verb="delete")


def drill(target: Target, observer: Observer, cases: Iterable[Case]) -> Iterator[Row]:
    """Run each case, and yield its row."""
    for case in cases:
        yield Experiment(target, observer, case.fault, case.service, case.trigger).run()


def matrix(faults: Sequence[str], services: Sequence[str], by: str) -> list[Case]:
    """Return the cases of each named fault and each named service."""
    return [
        Case(fault, service, _trigger(index, service, services, by))
        for index, fault in enumerate(FAULTS)
        if fault.name in faults
        for service in services
    ]


def one_per_fault() -> list[Case]:
    """Return one case for each fault, with the services in turn."""
    return [
        Case(fault, SERVICES[index % len(SERVICES)], "request")
        for index, fault in enumerate(FAULTS)
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned table."""
    lines = [TITLES, *map(_cells, rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(TITLES))]
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
        row.trigger,
        str(row.runs or "-"),
        unhealthy,
        row.reason or "-",
        alert,
        recovered,
        row.summary,
    )


def _trigger(index: int, service: str, services: Sequence[str], by: str) -> str:
    """Return the trigger: with ``both``, each fault has one service on schedule."""
    if by != "both":
        return by
    return "schedule" if service == services[index % len(services)] else "request"
