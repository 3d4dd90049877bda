"""The status of a monitor's locations (pure functions)."""

from collections.abc import Iterable
from datetime import datetime

from synthetic.operator.conditions import (
    Condition,
    condition,
    location_entry,
    merge_conditions,
)
from synthetic.operator.health import current_health, suspended
from synthetic.operator.history import MAX_LOCATION_RUNS, History
from synthetic.operator.observation import Observation
from synthetic.operator.resources import Object
from synthetic.operator.spec import Spec


def build_locations(
    monitor: Object,
    spec: Spec,
    history: History,
    observation: Observation,
    ended: str,
    now: datetime,
) -> list[Object]:
    """Return an entry for each location; ``ended`` is the end of the last maintenance."""
    old: Object = monitor.get("status") or {}
    generation: int = monitor["metadata"]["generation"]
    entries = []
    for name, observed in observation.locations.items():
        before, own = location_entry(old, name), history.locations.get(name, History())
        last = observed.last_run(before)
        health = current_health(spec, own, observed, before, last, ended, now)
        conditions = [observed.ready, health, suspended(spec, observed)]
        optional = {
            "lastRun": dict(last) if last else None,
            "lastSuccessTime": own.last_success,
            "certificateExpiry": own.certificate_expiry,
        }
        entry: Object = {
            "name": name,
            "cronJob": {"name": observed.cron_job, "generation": observed.cron_job_generation},
            "conditions": merge_conditions(before, conditions, generation, now),
            "consecutiveFailures": own.consecutive_failures,
            "totals": own.counters(),
            "runs": [run.line for run in own.own_runs[-MAX_LOCATION_RUNS:]],
            "handled": observed.handled.to_status(),
        }
        entries.append(entry | {key: value for key, value in optional.items() if value})
    return entries


def healths(entries: Iterable[Object]) -> dict[str, Condition]:
    """Return the condition Healthy of each entry by the name of its location."""
    found = ((entry["name"], condition(entry, "Healthy")) for entry in entries)
    return {
        name: Condition("Healthy", each["status"], each["reason"], each["message"])
        for name, each in found
    }
