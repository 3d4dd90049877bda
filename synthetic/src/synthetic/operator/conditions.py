"""Conditions of a monitor's status, as Kubernetes defines them."""

from dataclasses import dataclass
from datetime import datetime

from synthetic.operator.resources import Object
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

MAX_MESSAGE_LENGTH = 300


@dataclass(frozen=True)
class Condition:
    """A condition of a Kubernetes status."""

    type: str
    status: str
    reason: str
    message: str
    since: datetime | None = None  # of the status, if it is known; otherwise a new one is of now


def condition(status: Object, kind: str) -> Object:
    """Return the condition of a type, or an empty object."""
    found: Object = next(
        (entry for entry in status.get("conditions", []) if entry["type"] == kind), {}
    )
    return found


def location_entry(status: Object, name: str) -> Object:
    """Return what a monitor's status has about a location, or an empty object."""
    found: Object = next(
        (entry for entry in status.get("locations", []) if entry["name"] == name), {}
    )
    return found


def operator_conflict(contender: str) -> list[Condition]:
    """Return the condition of a namespace with a second operator; none if there is none."""
    if not contender:
        return []
    message = f"The operator {contender} also watches this namespace, and changes nothing in it"
    return [Condition("OperatorConflict", "True", "AnotherOperator", message)]


def merge_conditions(
    old: Object, conditions: list[Condition], generation: int, now: datetime
) -> list[Object]:
    """Return the conditions as objects; an unchanged status keeps its transition time.

    That of a condition with a known time may still change: the last maintenance is another one.
    """
    return [_merge(condition(old, new.type), new, generation, now) for new in conditions]


def _merge(old: Object, new: Condition, generation: int, now: datetime) -> Object:
    is_unchanged = old.get("status") == new.status and new.since is None
    return {
        "type": new.type,
        "status": new.status,
        "reason": new.reason,
        "message": new.message[:MAX_MESSAGE_LENGTH],
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"]
        if is_unchanged
        else (new.since or now).strftime(TIMESTAMP_FORMAT),
    }
