"""What had no more to give at a rate: processors, pools, queues; and the figures that say so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from load.harness.process_sampler import CLIENT, DISK, MACHINE, OTHERS
from load.harness.service_metrics import Inside
from load.harness.thresholds import Row

FULL = 0.8  # of one core, of a pool: there is little more to give
LATE = 0.1  # seconds, of an event loop; its alert says the same
WORTH_SAYING = 0.02  # of a core


@dataclass(frozen=True)
class Step:
    """One rate, and what was seen at it."""

    rate: float
    missed: list[Row] = field(default_factory=list)
    busy: Mapping[str, float] = field(default_factory=dict)  # cores, by part
    refused: Mapping[str, int] = field(default_factory=dict)  # calls, by operation
    insides: Mapping[str, Inside] = field(default_factory=dict)  # by service


def table(met: Step, missed: Step) -> Iterator[tuple[str, float, float]]:
    """Yield what was used at two rates: cores of each part, then what the services tell."""
    for name, used in sorted(missed.busy.items(), key=lambda item: -item[1]):
        if used > WORTH_SAYING:
            yield name, met.busy.get(name, 0.0), used
    for name, after in sorted(missed.insides.items()):
        before = met.insides.get(name, Inside())
        of = f"of {after.threads:g}"
        yield f"{name}: threads busy, {of}", before.threads_busy, after.threads_busy
        yield f"{name}: requests waiting", before.waiting, after.waiting
        of = f"of {after.connections:g}"
        yield f"{name}: connections, {of}", before.connections_in_use, after.connections_in_use
        if before.hashes_waiting or after.hashes_waiting:
            yield f"{name}: hashes waiting", before.hashes_waiting, after.hashes_waiting
        yield f"{name}: event loop late, ms", before.lag * 1000, after.lag * 1000


def saturated(step: Step) -> list[str]:
    """Return what had no more to give, of what can be seen: causes before what follows of them.

    A core that is full keeps threads, which keep connections; so a queue is named first only
    where there was processor to spare.
    """
    seen = [*_hashing(step), *_processors(step), *_pools(step)]
    if seen:
        return seen
    refused = sum(step.refused.values())
    if refused:
        return [f"a pool or a queue: {refused} calls were refused with CPU to spare"]
    if not step.insides and not _parts(step):
        return ["unknown: the system is not on this machine, or DATA is not its folder"]
    told_by = "" if step.insides else ", and no service told of its pools (make run METRICS=1)"
    return [f"nothing that can be seen here: no CPU was full, nothing was refused{told_by}"]


def _hashing(step: Step) -> Iterator[str]:
    logins = sum(n for operation, n in step.refused.items() if "login" in operation)
    if logins:
        yield f"password hashing: {logins} logins were refused"
    for inside in step.insides.values():
        if inside.hashes_waiting >= 1:
            yield f"password hashing: {inside.hashes_waiting:.1f} callers waited for it"


def _processors(step: Step) -> Iterator[str]:
    name, used = max(_parts(step).items(), key=lambda item: item[1], default=("", 0.0))
    machine, disk = step.busy.get(MACHINE, 0.0), step.busy.get(DISK, 0.0)
    others = step.busy.get(OTHERS, 0.0)
    if used > FULL:
        yield f"CPU of {name}: {used:.2f} of the one core that its process can use"
    if machine > FULL and others > 1:
        yield f"CPU of the machine, of which others used {others:.1f} cores"
    elif machine > FULL:
        yield f"CPU of the machine ({machine:.0%}), the load's share included"
    if disk > 1 - FULL:
        yield f"the disk: {disk:.0%} of the time was spent waiting for it"


def _pools(step: Step) -> Iterator[str]:
    for name, inside in sorted(step.insides.items(), key=lambda item: -item[1].waiting):
        waited = f"{inside.waiting:.1f} requests waited"
        if inside.connections and inside.connections_in_use > FULL * inside.connections:
            used = f"{inside.connections_in_use:.1f} of {inside.connections:g}"
            yield f"pool of {name}: {used} connections in use, {waited}"
        elif inside.threads and inside.threads_busy > FULL * inside.threads:
            used = f"{inside.threads_busy:.1f} of {inside.threads:g}"
            yield f"threads of {name}: {used} busy, with connections to spare, {waited}"
        if inside.lag > LATE:
            yield f"event loop of {name}: {inside.lag * 1000:.0f} ms late"


def _parts(step: Step) -> Mapping[str, float]:
    """Return the parts that are one process, and so can use one core."""
    several = {MACHINE, DISK, CLIENT, OTHERS, "database"}
    return {name: used for name, used in step.busy.items() if name not in several}
