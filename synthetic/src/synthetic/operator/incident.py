"""Incidents of a monitor, as the status keeps them.

An incident is ``2026-01-31T10:05:00Z 1500 createClient http_status 503``: its start, its duration
in seconds or ``-`` while it is ongoing, and the detail of the run that made the monitor unhealthy.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from synthetic.operator.status_schema import MAX_CLOCK_SKEW, MAX_INCIDENTS, TIMESTAMP_FORMAT

KEPT = timedelta(days=30)  # after the end
MAX_SECONDS = 999_999_999
ONGOING = "-"


@dataclass(frozen=True, slots=True)
class Incident:
    """The time from the first failure that made a monitor unhealthy to its recovery."""

    start: datetime
    end: datetime | None  # None while it is ongoing
    reason: str

    @classmethod
    def read(cls, line: str) -> Self:
        """Parse a line of the status."""
        at, seconds, *reason = line.split(" ", 2)
        start = datetime.fromisoformat(at)
        end = None if seconds == ONGOING else start + timedelta(seconds=int(seconds))
        return cls(start, end, "".join(reason))

    @property
    def line(self) -> str:
        """The incident as a line of the status."""
        seconds = self.duration(self.end) // timedelta(seconds=1) if self.end else ONGOING
        return f"{self.start.strftime(TIMESTAMP_FORMAT)} {seconds} {self.reason}".rstrip()

    @property
    def updated(self) -> datetime:
        """The time of the last change: the end, or the start while it is ongoing."""
        return self.end or self.start

    def duration(self, now: datetime) -> timedelta:
        """Return the duration until the end, or until now."""
        last = self.end or now
        return min(max(last - self.start, timedelta()), timedelta(seconds=MAX_SECONDS))


Incidents = tuple[Incident, ...]  # the oldest first


def recent(incidents: Incidents, now: datetime) -> Incidents:
    """Return the last incidents that are ongoing, or have ended in the last 30 days.

    One that ends in the future is left out: another client has written it to the status.
    """
    first, last = now - KEPT, now + MAX_CLOCK_SKEW
    kept = [each for each in incidents if each.end is None or first <= each.end <= last]
    return tuple(kept[-MAX_INCIDENTS:])
