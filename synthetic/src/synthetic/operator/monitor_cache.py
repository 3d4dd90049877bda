"""Cache of the monitors' statuses for the metrics and the status page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from synthetic.operator.conditions import condition, location_entry
from synthetic.operator.history import History
from synthetic.operator.incident import Incidents, recent
from synthetic.operator.location_view import LocationView, health_state
from synthetic.operator.resources import Object
from synthetic.operator.spec import READ_ERRORS, Spec

Key = tuple[str, str]  # namespace, name
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MonitorView:
    """One monitor as metrics and status page show it."""

    namespace: str
    name: str
    uid: str
    journey: str
    spec: Spec
    history: History
    schedule: str
    target: str
    last: Object
    healthy: Object
    ready: Object
    conflict: Object
    slo: Object
    labels: Labels
    maintenance: Object  # in force; empty if there is none
    stored: Object  # the locations of the status: all of it would be a third of the memory

    def incidents(self, now: datetime) -> Incidents:
        """Return the incidents of the last 30 days, the oldest first."""
        return recent(self.history.incidents, now)

    @property
    def state(self) -> str:
        """``up``, ``down``, ``degraded``, ``unknown``, ``maintenance`` or ``paused``."""
        if self.spec.suspend:
            return "paused"
        if self.maintenance:
            return "maintenance"
        return health_state(self.healthy)

    @property
    def key_labels(self) -> tuple[str, ...]:
        """The values of the labels that all metrics of the monitor have."""
        return (self.namespace, self.name, self.journey, self.spec.severity)

    @property
    def locations(self) -> tuple[LocationView, ...]:
        """The locations of the spec; those without an entry in the status are unknown."""
        return tuple(
            LocationView.read(each.name, location_entry(self.stored, each.name), self.state)
            for each in self.spec.locations
        )


class MonitorCache:
    """Monitors by key."""

    def __init__(self) -> None:
        """Start empty."""
        self._views: dict[Key, MonitorView] = {}
        self._holders: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of monitors."""
        return len(self._views)

    def __iter__(self) -> Iterator[MonitorView]:
        """Yield the monitors sorted by namespace and name."""
        return iter([self._views[key] for key in sorted(self._views)])

    def get(self, key: Key) -> MonitorView | None:
        """Return a monitor, or None if it does not exist."""
        return self._views.get(key)

    def keys(self) -> set[Key]:
        """Return the keys of all monitors."""
        return set(self._views)

    def upsert(self, monitor: Object) -> None:
        """Add or replace a monitor whose status is readable."""
        metadata, status = monitor["metadata"], monitor.get("status") or {}
        try:
            spec = Spec.from_monitor(monitor)
        except READ_ERRORS:
            spec = Spec.from_monitor({**monitor, "spec": {"journey": "unknown"}})
        self._views[metadata["namespace"], metadata["name"]] = MonitorView(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            journey=spec.journey,
            spec=spec,
            history=History.read(status),
            schedule=status.get("schedule", ""),
            target=status.get("target", ""),
            last=status.get("lastRun", {}),
            healthy=condition(status, "Healthy"),
            ready=condition(status, "Ready"),
            conflict=condition(status, "OperatorConflict"),
            slo=status.get("slo", {}),
            labels=metadata.get("labels") or {},
            maintenance=status.get("maintenance", {}),
            stored={"locations": status.get("locations", [])},
        )

    def set_holder(self, namespace: str, holder: str) -> None:
        """Set the other operator that manages a namespace; an empty one removes it."""
        if holder:
            self._holders[namespace] = holder
        else:
            self._holders.pop(namespace, None)

    @property
    def holders(self) -> dict[str, str]:
        """Other operators by the namespace that they manage."""
        return dict(sorted(self._holders.items()))

    def remove(self, key: Key) -> None:
        """Remove a monitor if it is present."""
        self._views.pop(key, None)
