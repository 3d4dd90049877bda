"""Times of maintenance windows: a start and an end, or a cron expression with a duration."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from synthetic.operator.cron import Cron, CronError

MAX_MERGED = 200  # periods without a gap
MINUTE = timedelta(minutes=1)  # the shortest period


@dataclass(frozen=True)
class Occurrence:
    """One period of a window; its end is excluded."""

    start: datetime
    end: datetime


class Times(Protocol):
    """The periods of a window."""

    def first_after(self, moment: datetime) -> Occurrence | None:
        """Return the first period that ends after a moment, or None."""


@dataclass(frozen=True)
class Once:
    """A start and an end."""

    period: Occurrence

    def first_after(self, moment: datetime) -> Occurrence | None:
        """Return the period if it ends after a moment."""
        return self.period if self.period.end > moment else None


@dataclass(frozen=True)
class Recurring:
    """A cron expression and a duration."""

    cron: Cron
    zone: tzinfo
    duration: timedelta

    def first_after(self, moment: datetime) -> Occurrence | None:
        """Return the first period that ends after a moment, up to the next gap."""
        try:
            return self.merged_after(moment)
        except CronError:  # none within years
            return None

    def merged_after(self, moment: datetime) -> Occurrence:
        """Return the same period; of an endless one, ``MAX_MERGED`` parts at least.

        Raises:
            CronError: the expression does not fire within years.

        """
        start = self.cron.after(moment - self.duration, self.zone)
        end = start + self.duration
        for _ in range(MAX_MERGED):
            following = self._next_end(end)
            if following == end:
                break
            end = following
        return Occurrence(start, end)

    def is_endless(self, moment: datetime) -> bool:
        """Return whether more than ``MAX_MERGED`` periods follow each other without a gap."""
        end = self.merged_after(moment).end
        return self._next_end(end) != end

    def _next_end(self, end: datetime) -> datetime:
        """Return the end of a period that starts in the last one, or the same end without one.

        A start in its second half is tried first: it makes large steps through many periods.
        """
        for before in (self.duration / 2, self.duration):
            start = self.cron.after(end - before, self.zone)
            if start <= end:
                return start + self.duration
        return end


def last_end(times: Times, after: datetime, before: datetime) -> datetime | None:
    """Return the last end of a period between two moments, or None.

    It is searched by bisection: an operator may have missed thousands of periods.
    """
    found, middle = None, after
    while before - after >= MINUTE:
        period = times.first_after(middle)
        if period and period.end <= before:
            found = after = period.end
        else:
            before = middle
        middle = after + (before - after) / 2
    return found
