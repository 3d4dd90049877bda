"""What the operator knows of each monitor, for the metrics and the page: a copy of its status."""

from collections.abc import Iterator
from dataclasses import dataclass

from synthetic.operator.history import History
from synthetic.operator.resources import Object
from synthetic.operator.spec import Spec
from synthetic.operator.status import condition

Key = tuple[str, str]  # namespace, name


@dataclass(frozen=True, slots=True)
class MonitorView:
    """One monitor, as it is shown."""

    namespace: str
    name: str
    journey: str
    spec: Spec
    history: History
    schedule: str
    target: str
    last: Object
    healthy: Object
    ready: Object
    slo: Object

    @property
    def state(self) -> str:
        """``up``, ``down``, ``degraded`` or ``unknown``."""
        if self.healthy.get("reason") == "Degraded":
            return "degraded"
        return {"True": "up", "False": "down"}.get(self.healthy.get("status", ""), "unknown")


class MonitorCache:
    """The monitors by key."""

    def __init__(self) -> None:
        """Start empty."""
        self._views: dict[Key, MonitorView] = {}

    def __len__(self) -> int:
        """Return how many monitors there are."""
        return len(self._views)

    def __iter__(self) -> Iterator[MonitorView]:
        """Yield the monitors in the order of their names."""
        return iter([self._views[key] for key in sorted(self._views)])

    def keys(self) -> set[Key]:
        """Return the keys of all monitors."""
        return set(self._views)

    def put(self, monitor: Object) -> None:
        """Keep what a monitor's status says."""
        metadata, status = monitor["metadata"], monitor.get("status") or {}
        self._views[metadata["namespace"], metadata["name"]] = MonitorView(
            namespace=metadata["namespace"],
            name=metadata["name"],
            journey=monitor["spec"]["journey"],
            spec=Spec.from_monitor(monitor),
            history=History.read(status),
            schedule=status.get("schedule", ""),
            target=status.get("target", ""),
            last=status.get("lastRun", {}),
            healthy=condition(status, "Healthy"),
            ready=condition(status, "Ready"),
            slo=status.get("slo", {}),
        )

    def drop(self, key: Key) -> None:
        """Forget a monitor."""
        self._views.pop(key, None)
