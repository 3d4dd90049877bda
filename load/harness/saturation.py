"""Bottlenecks at a rate: processors, pools and queues, with the figures that show them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from load.harness.process_sampler import CLIENT, DISK, MACHINE, OTHERS
from load.harness.service_metrics import Utilisation
from load.harness.thresholds import Check

SATURATED = 0.8  # of one core, or of a pool
MAX_LAG_SECONDS = 0.1  # of an event loop, as in its alert
MIN_SHOWN_CORES = 0.02


@dataclass(frozen=True)
class Step:
    """One rate, and the observations at it."""

    rate: float
    missed: list[Check] = field(default_factory=list)
    busy: Mapping[str, float] = field(default_factory=dict)  # cores, by part
    refused: Mapping[str, int] = field(default_factory=dict)  # calls, by operation
    services: Mapping[str, Utilisation] = field(default_factory=dict)


def utilisation_table(met: Step, missed: Step) -> Iterator[tuple[str, float, float]]:
    """Yield name and usage at two rates: the cores of each part, then the services' pools."""
    for name, used in sorted(missed.busy.items(), key=lambda item: -item[1]):
        if used > MIN_SHOWN_CORES:
            yield name, met.busy.get(name, 0.0), used
    for name, after in sorted(missed.services.items()):
        yield from _service_rows(name, met.services.get(name, Utilisation()), after)


def _service_rows(
    name: str, before: Utilisation, after: Utilisation
) -> Iterator[tuple[str, float, float]]:
    of = f"of {after.threads:g}"
    yield f"{name}: threads busy, {of}", before.threads_busy, after.threads_busy
    yield f"{name}: requests waiting", before.waiting, after.waiting
    of = f"of {after.connections:g}"
    yield f"{name}: connections, {of}", before.connections_in_use, after.connections_in_use
    if before.hashes_waiting or after.hashes_waiting:
        yield f"{name}: hashes waiting", before.hashes_waiting, after.hashes_waiting
    yield f"{name}: event loop lag, ms", before.lag * 1000, after.lag * 1000


def bottlenecks(step: Step) -> list[str]:
    """Return the saturated resources, causes before consequences.

    A full core delays threads, which hold connections. So a pool is first only where
    processors were idle.
    """
    found = [*_hashing(step), *_processors(step), *_pools(step)]
    if found:
        return found
    refused = sum(step.refused.values())
    if refused:
        return [f"a pool or a queue: {refused} calls were refused while CPU was idle"]
    if not step.services and not _single_processes(step):
        return ["unknown: the system is not on this machine, or DATA is not its folder"]
    hint = "" if step.services else ", and there are no metrics of pools (make run METRICS=1)"
    return [f"none visible: no CPU was full, nothing was refused{hint}"]


def _hashing(step: Step) -> Iterator[str]:
    logins = sum(n for operation, n in step.refused.items() if "login" in operation)
    if logins:
        yield f"password hashing: {logins} logins were refused"
    for service in step.services.values():
        if service.hashes_waiting >= 1:
            yield f"password hashing: {service.hashes_waiting:.1f} callers waited for it"


def _processors(step: Step) -> Iterator[str]:
    parts = _single_processes(step)
    name, used = max(parts.items(), key=lambda item: item[1], default=("", 0.0))
    machine, disk = step.busy.get(MACHINE, 0.0), step.busy.get(DISK, 0.0)
    others = step.busy.get(OTHERS, 0.0)
    if used > SATURATED:
        yield f"CPU of {name}: {used:.2f} of the one core that its process can use"
    if machine > SATURATED and others > 1:
        yield f"CPU of the machine, of which others used {others:.1f} cores"
    elif machine > SATURATED:
        yield f"CPU of the machine ({machine:.0%}), including the load generator"
    if disk > 1 - SATURATED:
        yield f"the disk: {disk:.0%} of the time was spent waiting for it"


def _pools(step: Step) -> Iterator[str]:
    for name, service in sorted(step.services.items(), key=lambda item: -item[1].waiting):
        waited = f"{service.waiting:.1f} requests waited"
        if service.connections and service.connections_in_use > SATURATED * service.connections:
            used = f"{service.connections_in_use:.1f} of {service.connections:g}"
            yield f"pool of {name}: {used} connections in use, {waited}"
        elif service.threads and service.threads_busy > SATURATED * service.threads:
            used = f"{service.threads_busy:.1f} of {service.threads:g}"
            yield f"threads of {name}: {used} busy, with connections to spare, {waited}"
        if service.lag > MAX_LAG_SECONDS:
            yield f"event loop of {name}: {service.lag * 1000:.0f} ms late"


def _single_processes(step: Step) -> Mapping[str, float]:
    """Return the parts that consist of one process, and so can use one core."""
    several = {MACHINE, DISK, CLIENT, OTHERS, "database"}
    return {name: used for name, used in step.busy.items() if name not in several}
