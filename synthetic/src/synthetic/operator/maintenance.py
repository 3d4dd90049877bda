"""Maintenance windows of a monitor: runs that overlap one do not count (pure functions).

A window has a start and an end, or recurs by a cron expression with a duration.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, Self

from synthetic.operator.conditions import Condition, condition, merge_conditions
from synthetic.operator.cron import Cron, CronError
from synthetic.operator.resources import Object
from synthetic.operator.run_result import Run
from synthetic.operator.spec import READ_ERRORS, Spec, SpecError, parse_duration, parse_time_zone
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

PAUSE = "Pause"
MAX_REASON_LENGTH = 200
MAX_MERGED = 200  # periods without a gap


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


@dataclass(frozen=True)
class Window:
    """A window with its reason; ``origin`` names where it is written."""

    times: Times
    reason: str
    pauses: bool
    origin: str


@dataclass(frozen=True)
class Active:
    """The maintenance at a moment."""

    reason: str
    until: datetime
    pauses: bool
    origin: str

    @property
    def message(self) -> str:
        """The sentence that the condition shows."""
        runs = "runs are paused" if self.pauses else "runs go on and do not count"
        until = self.until.strftime(TIMESTAMP_FORMAT)
        return f"{self.reason} (until {until}, {self.origin}): {runs}"

    @property
    def status(self) -> Object:
        """The maintenance as the status has it."""
        return {
            "reason": self.reason,
            "until": self.until.strftime(TIMESTAMP_FORMAT),
            "runs": PAUSE if self.pauses else "Continue",
        }


@dataclass(frozen=True)
class Windows:
    """All windows of a monitor, and the first problem of those that cannot be read."""

    windows: tuple[Window, ...] = ()
    problem: SpecError | None = None

    def at(self, moment: datetime) -> Active | None:
        """Return the maintenance at a moment, or None; of several, the one that ends last."""
        found = self._overlapping(moment, moment)
        if not found:
            return None
        window, period = max(found, key=lambda each: each[1].end)
        pauses = any(each.pauses for each, _ in found)
        return Active(window.reason, period.end, pauses, window.origin)

    def mark(self, run: Run) -> Run:
        """Return a run with the reason of the window that it overlapped."""
        for window, _ in self._overlapping(run.started_at, run.finished_at):
            return replace(run, maintenance=window.reason)
        return run

    def next_change(self, moment: datetime) -> datetime | None:
        """Return the first start or end of a window after a moment, or None."""
        periods = [window.times.first_after(moment) for window in self.windows]
        edges = (edge for each in periods if each for edge in (each.start, each.end))
        return min((edge for edge in edges if edge > moment), default=None)

    def _overlapping(
        self, started: datetime, finished: datetime
    ) -> list[tuple[Window, Occurrence]]:
        periods = ((window, window.times.first_after(started)) for window in self.windows)
        return [(window, each) for window, each in periods if each and each.start <= finished]


@dataclass(frozen=True)
class Maintenance:
    """The windows of a monitor, and what is in force at the time of a reconciliation."""

    windows: Windows
    now: datetime
    active: Active | None

    @classmethod
    def at(cls, windows: Windows, now: datetime) -> Self:
        """Evaluate windows."""
        return cls(windows, now, windows.at(now))

    @property
    def pauses(self) -> bool:
        """True while no run may be scheduled."""
        return self.active is not None and self.active.pauses

    @property
    def next_check(self) -> float | None:
        """Seconds until a window starts or ends, or None."""
        change = self.windows.next_change(self.now)
        return (change - self.now).total_seconds() if change else None


NO_WINDOWS = Windows()


def own_windows(spec: Spec, now: datetime) -> Windows:
    """Return the windows of a monitor's spec."""
    entries = enumerate(spec.maintenance)
    return parse_windows(((f"spec.maintenance[{at}]", each) for at, each in entries), now)


def parse_windows(entries: Iterable[tuple[str, Object]], now: datetime) -> Windows:
    """Parse windows with their origins, such as ``spec.maintenance[0]``."""
    found, problem = [], None
    for origin, entry in entries:
        try:
            found.append(parse_window(entry, origin, now))
        except SpecError as error:
            problem = problem or error
    return Windows(tuple(found), problem)


def parse_window(entry: Object, origin: str, now: datetime) -> Window:
    """Parse a window.

    Raises:
        SpecError: a time, the schedule, the time zone or the duration is invalid.

    """
    try:
        times = _recurring(entry, origin, now) if "schedule" in entry else _once(entry, origin)
        reason = " ".join(entry["reason"].split())[:MAX_REASON_LENGTH]
        return Window(times, reason, entry.get("runs") == PAUSE, origin)
    except READ_ERRORS as error:  # the CRD's schema was a wider one when it was created
        raise _invalid(origin, f"cannot be read: {error!r}") from error


def maintenance_condition(active: Active | None, old: Object, now: datetime) -> list[Condition]:
    """Return the condition Maintenance; none before the first window.

    It ends with the window, even if the operator was not running then.
    """
    if active:
        return [Condition("Maintenance", "True", "InWindow", active.message)]
    if not condition(old, "Maintenance"):
        return []
    until: str = old.get("maintenance", {}).get("until", "")
    ended = min(datetime.fromisoformat(until), now) if until else now
    return [Condition("Maintenance", "False", "Ended", "No maintenance window is in force", ended)]


def maintenance_end(active: Active | None, old: Object, now: datetime) -> str:
    """Return the end of the last maintenance; empty during one, and before the first one."""
    conditions = merge_conditions(old, maintenance_condition(active, old, now), 0, now)
    return next((e["lastTransitionTime"] for e in conditions if e["status"] == "False"), "")


def _once(entry: Object, origin: str) -> Once:
    start, end = (_parse_time(entry[name], f"{origin}.{name}") for name in ("start", "end"))
    if end <= start:
        raise _invalid(f"{origin}.end", "is not after start")
    return Once(Occurrence(start, end))


def _recurring(entry: Object, origin: str, now: datetime) -> Recurring:
    zone = parse_time_zone(entry.get("timeZone", "Etc/UTC"), f"{origin}.timeZone")
    try:
        cron = Cron.parse(entry["schedule"])
        cron.after(now, zone)
    except CronError as error:
        raise _invalid(f"{origin}.schedule", f"{entry['schedule']!r} is invalid: {error}") from None
    hours, minutes = parse_duration(entry["duration"])
    if not hours + minutes:
        raise _invalid(f"{origin}.duration", "is not hours and minutes, such as 2h or 1h30m")
    recurring = Recurring(cron, zone, timedelta(hours=hours, minutes=minutes))
    if recurring.is_endless(now):
        raise _invalid(
            f"{origin}.duration",
            f"leaves no gap between {MAX_MERGED} periods: give a shorter one, or start and end",
        )
    return recurring


def _parse_time(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid(path, f"{text!r} is no time: {error}") from None
    if moment.tzinfo is None:
        raise _invalid(path, f"{text!r} has no time zone: end it with Z or an offset like -03:00")
    return in_utc


def _invalid(path: str, what: str) -> SpecError:
    return SpecError("InvalidMaintenance", f"{path} {what}")
