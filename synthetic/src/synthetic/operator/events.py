"""Kubernetes Events for the transitions of a monitor."""

import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import condition
from synthetic.operator.resources import EVENTS, GROUP, KIND, VERSION, Object

log = logging.getLogger(__name__)

HEALTH_EVENTS = {
    "True": ("Normal", "Healthy"),
    "False": ("Warning", "Unhealthy"),
    "Unknown": ("Warning", "HealthUnknown"),
}


def transitions(
    monitor: Object, old: Object, new: Object, *, restored: bool, now: datetime
) -> Iterator[Object]:
    """Yield the Events for the transitions between two statuses."""
    if restored:
        message = "Another client had changed or deleted the CronJob; it is restored"
        yield build(monitor, ("Warning", "CronJobRestored"), message, now)
    before, after = condition(old, "Healthy"), condition(new, "Healthy")
    if before and before["status"] != after["status"]:
        is_relevant = before["status"] != "Unknown" or after["status"] == "False"
        if is_relevant and after["reason"] not in {"Suspended", "Maintenance"}:
            yield build(monitor, HEALTH_EVENTS[after["status"]], after["message"], now)
    before, after = condition(old, "Ready"), condition(new, "Ready")
    if after["status"] == "False" and before.get("reason") != after["reason"]:
        yield build(monitor, ("Warning", after["reason"]), after["message"], now)
    before, after = (condition(status, "Maintenance") for status in (old, new))
    if before.get("status") != after.get("status"):
        reason = "MaintenanceStarted" if after.get("status") == "True" else "MaintenanceEnded"
        yield build(monitor, ("Normal", reason), after.get("message", "The window is gone"), now)
    failed = {each["name"] for each in old.get("notified", []) if "error" in each}
    for each in new.get("notified", []):
        if "error" in each and each["name"] not in failed:
            message = f"Receiver {each['name']}: {each['error']}"
            yield build(monitor, ("Warning", "NotificationFailed"), message, now)
    before, after = (condition(status, "OperatorConflict") for status in (old, new))
    if after and not before:
        yield build(monitor, ("Warning", "OperatorConflict"), after["message"], now)


async def record(api: ApiClient, event: Object) -> None:
    """Create an Event; a failure is only logged."""
    try:
        await api.create(EVENTS, event)
    except ApiError as error:
        log.warning("failed to create an Event: %s", error.message)


def build(monitor: Object, kind: tuple[str, str], message: str, now: datetime) -> Object:
    """Return an Event about a monitor; ``kind`` is its type and its reason."""
    metadata = monitor["metadata"]
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    severity, reason = kind
    # the message too: a reconciliation may report two receivers for the same reason
    text = f"{metadata['uid']}{reason}{moment}{message}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{digest}"},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
        "type": severity,
        "reason": reason,
        "message": message,
        "source": {"component": "synthetic-operator"},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
