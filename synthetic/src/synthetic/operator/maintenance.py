"""Maintenance windows of a monitor: runs that overlap one do not count (pure functions).

What a window did is computed from its times, so it does not depend on when the operator runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from synthetic.operator.conditions import Condition, condition
from synthetic.operator.cron import Cron, CronError
from synthetic.operator.resources import Object
from synthetic.operator.run_result import Run
from synthetic.operator.spec import READ_ERRORS, Spec, SpecError, parse_duration, parse_time_zone
from synthetic.operator.status_schema import TIMESTAMP_FORMAT
from synthetic.operator.window_times import MAX_MERGED, Occurrence, Once, Recurring, Times, last_end

PAUSE = "Pause"
MAX_REASON_LENGTH = 200
EPOCH = datetime.fromtimestamp(0, UTC)


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

    def first_start(self, after: datetime, before: datetime) -> datetime | None:
        """Return the first start of the windows in force at or between two moments, or None."""
        return min((each.start for _, each in self._overlapping(after, before)), default=None)

    def last_end(self, after: datetime, before: datetime) -> datetime | None:
        """Return the last end of a window between two moments, or None."""
        ends = (last_end(window.times, after, before) for window in self.windows)
        return max(filter(None, ends), default=None)

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
    seen: datetime  # the end of the last counted run: the operator has acted on windows before
    ended: str  # the end of the last maintenance; empty during one, and before the first one

    @classmethod
    def at(cls, windows: Windows, old: Object, now: datetime) -> Self:
        """Evaluate windows; ``old`` is the stored status of the monitor."""
        last = old.get("lastRun")
        seen = datetime.fromisoformat(last["finishedAt"]) if last else now
        active = windows.at(now)
        ends = [] if active else [_recorded_end(old, now), windows.last_end(seen, now)]
        ended = max(filter(None, ends), default=None)
        return cls(windows, now, active, seen, ended.strftime(TIMESTAMP_FORMAT) if ended else "")

    @property
    def pauses(self) -> bool:
        """True while no run may be scheduled."""
        return self.active is not None and self.active.pauses

    @property
    def conditions(self) -> list[Condition]:
        """The condition Maintenance; none before the first window."""
        if self.active:
            return [Condition("Maintenance", "True", "InWindow", self.active.message)]
        if not self.ended:
            return []
        message, ended = "No maintenance window is in force", datetime.fromisoformat(self.ended)
        return [Condition("Maintenance", "False", "Ended", message, ended)]

    @property
    def next_check(self) -> float | None:
        """Seconds until a window starts or ends, or None."""
        change = self.windows.next_change(self.now)
        return (change - self.now).total_seconds() if change else None


NO_WINDOWS = Windows()
NO_MAINTENANCE = Maintenance(NO_WINDOWS, EPOCH, None, EPOCH, "")


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


def _recorded_end(old: Object, now: datetime) -> datetime | None:
    """Return the end of the last maintenance that a status has, or None.

    It ends with the window, or with its removal, even if the operator was not running then.
    """
    recorded = condition(old, "Maintenance")
    if recorded.get("status") == "False":
        return datetime.fromisoformat(recorded["lastTransitionTime"])
    until: str = old.get("maintenance", {}).get("until", "")
    ended = min(datetime.fromisoformat(until), now) if until else now
    return ended if recorded else None


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
