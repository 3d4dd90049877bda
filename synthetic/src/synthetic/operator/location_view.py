"""A location of a monitor as metrics, JSON and status page show it."""

from dataclasses import dataclass
from typing import Self

from synthetic.operator.conditions import condition
from synthetic.operator.history import History
from synthetic.operator.resources import Object

NO_VERDICT = frozenset({"unknown", "maintenance", "paused"})  # states


@dataclass(frozen=True, slots=True)
class LocationView:
    """One location, by its entry in the status."""

    name: str
    state: str
    healthy: Object
    ready: Object
    last: Object
    history: History

    @classmethod
    def read(cls, name: str, entry: Object, monitor_state: str) -> Self:
        """Parse an entry, which is empty for a new location.

        A paused monitor and maintenance are those of all its locations.
        """
        healthy = condition(entry, "Healthy")
        return cls(
            name=name,
            state=monitor_state
            if monitor_state in {"maintenance", "paused"}
            else health_state(healthy),
            healthy=healthy,
            ready=condition(entry, "Ready"),
            last=entry.get("lastRun", {}),
            history=History.read(entry, name),
        )


def health_state(healthy: Object) -> str:
    """Return ``up``, ``down``, ``degraded`` or ``unknown`` for a condition Healthy."""
    if healthy.get("reason") == "Degraded":
        return "degraded"
    return {"True": "up", "False": "down"}.get(healthy.get("status", ""), "unknown")
