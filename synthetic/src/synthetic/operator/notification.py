"""Notifications of a monitor's health: what is due, by what was delivered (pure functions).

The status keeps for each receiver the health that it last accepted, and the failed attempts since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from synthetic.operator.conditions import MAX_MESSAGE_LENGTH, condition
from synthetic.operator.resources import Object
from synthetic.operator.spec import Receiver
from synthetic.operator.status_schema import TIMESTAMP_FORMAT, is_moment

FIRST_RETRY, LAST_RETRY = timedelta(seconds=15), timedelta(minutes=30)
MAX_ATTEMPTS = 1000  # in the status
HEALTHY, UNHEALTHY = "True", "False"


@dataclass(frozen=True)
class Due:
    """A notification that a receiver should get."""

    health: str
    resent: bool = False


@dataclass(frozen=True)
class Outcome:
    """The end of an attempt; ``error`` is empty for a delivery."""

    health: str
    error: str = ""


def record_of(status: Object, receiver: Receiver) -> Object:
    """Return what the status has about a receiver, or an empty object."""
    found: Object = next(
        (each for each in status.get("notified", []) if each["name"] == receiver.name), {}
    )
    return found


def due(record: Object, status: Object, receiver: Receiver, now: datetime) -> Due | None:
    """Return the notification that is due; none while the health is unknown, as in maintenance.

    A recovery is only reported after a failure, and retries wait for the time in the record.
    """
    wanted = _wanted(record, status, receiver, now)
    retry = _time(record.get("retryAt"))
    return None if wanted is None or (retry is not None and now < retry) else wanted


def next_check(
    record: Object, status: Object, receiver: Receiver, now: datetime
) -> datetime | None:
    """Return when a notification will be due if the health stays the same, or None."""
    if _wanted(record, status, receiver, now) is not None:
        return _time(record.get("retryAt"))
    if not receiver.resend or condition(status, "Healthy").get("status") != UNHEALTHY:
        return None
    at = _time(record.get("at"))
    return at + receiver.resend if at else None


def after_attempt(record: Object, name: str, outcome: Outcome, now: datetime) -> Object:
    """Return the record after an attempt: the new health, or the time of the next attempt."""
    moment = now.strftime(TIMESTAMP_FORMAT)
    if not outcome.error:
        return {"name": name, "health": outcome.health, "at": moment}
    attempts = min(record.get("attempts", 0) + 1, MAX_ATTEMPTS)
    kept: Object = {key: record[key] for key in ("health", "at") if key in record}
    return {
        "name": name,
        **kept,
        "attempts": attempts,
        "retryAt": (now + _wait(attempts)).strftime(TIMESTAMP_FORMAT),
        "error": outcome.error[:MAX_MESSAGE_LENGTH],
    }


def last_failure(record: Object) -> datetime | None:
    """Return the time of the last failed attempt since the last delivery, or None without any."""
    retry = _time(record.get("retryAt"))
    return retry - _wait(record.get("attempts", 1)) if "error" in record and retry else None


def settled(
    status: Object, receivers: Iterable[Receiver], outcomes: dict[str, Outcome], now: datetime
) -> list[Object]:
    """Return the records of the receivers after the attempts that have ended."""
    records = []
    for receiver in receivers:
        record = record_of(status, receiver)
        if receiver.name in outcomes:
            record = after_attempt(record, receiver.name, outcomes[receiver.name], now)
        elif "error" in record and _wanted(record, status, receiver, now) is None:
            record = {key: record[key] for key in ("name", "health", "at") if key in record}
        if len(record) > 1:
            records.append(record)
    return records


def _wanted(record: Object, status: Object, receiver: Receiver, now: datetime) -> Due | None:
    health, last = condition(status, "Healthy").get("status"), record.get("health")
    if health == UNHEALTHY and last != UNHEALTHY:
        return Due(UNHEALTHY)
    if health == HEALTHY and last == UNHEALTHY:
        return Due(HEALTHY)
    at = _time(record.get("at"))
    if health == UNHEALTHY and receiver.resend and at and now >= at + receiver.resend:
        return Due(UNHEALTHY, resent=True)
    return None


def _wait(attempts: int) -> timedelta:
    """Return the time from a failed attempt to the next one."""
    factor: int = 2 ** min(max(attempts, 1) - 1, 10)
    return min(FIRST_RETRY * factor, LAST_RETRY)


def _time(text: str | None) -> datetime | None:
    """Return a time of a record; any client with access can have written the status."""
    if text is None or not is_moment(text):
        return None
    return datetime.fromisoformat(text)
