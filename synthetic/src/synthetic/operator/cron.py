"""Times of a cron expression as the CronJob controller computes them.

Kubernetes uses robfig/cron v3 (``ParseStandard``), whose rules differ from those of Vixie cron: a
step above 1 makes a day field restricted, Sunday is 0 and not 7, and days and hours that a change
of the clocks skips or repeats are searched in its own way (``SpecSchedule.Next``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

MAX_YEARS = 5  # robfig/cron gives up after them
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NOON = 12
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

Predicate = Callable[[datetime], bool]
Stage = tuple[Callable[[], None], Predicate, Predicate]  # step, match, and wrap of a field


class CronError(ValueError):
    """An invalid cron expression; the message names the field."""


@dataclass(frozen=True)
class Field:
    """A field's name, its bounds, and names of its values."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    @property
    def values(self) -> str:
        """The values that it may have, in words."""
        names = f", {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.first} to {self.last}{names} or *"


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, WEEKDAYS),
)


@dataclass(frozen=True)
class Cron:
    """A parsed cron expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    needs_both_days: bool  # a date must match the day and the weekday, rather than one of them

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Parse five fields.

        Raises:
            CronError: a field is missing or invalid.

        """
        texts = expression.split()
        if len(texts) != len(FIELDS):
            names = ", ".join(field.name for field in FIELDS)
            raise CronError(f"{len(texts)} fields instead of five ({names})")
        parsed = [_parse_field(field, text) for field, text in zip(FIELDS, texts, strict=True)]
        (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = parsed
        return cls(minutes, hours, days, months, weekdays, any_day or any_weekday)

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first time after a moment, in UTC.

        Raises:
            CronError: there is none within five years.

        """
        try:
            search = _Search(moment, zone)
            last_year = search.local.year + MAX_YEARS
            while search.local.year <= last_year:
                if self._find(search):
                    return search.at
        except OverflowError:
            raise CronError("it does not fire again before the year 10000") from None
        raise CronError("it never fires: choose a day that one of its months has")

    def _find(self, search: "_Search") -> bool:
        """Advance field by field to a match; return False if one has wrapped around.

        Without a wrap, the fields before are not searched again. After a missing midnight, an hour
        of a day that does not match is therefore found, as by robfig/cron.
        """
        stages: tuple[Stage, ...] = (
            (search.next_month, lambda at: at.month in self.months, lambda at: at.month == 1),
            (search.next_day, self._matches_day, lambda at: at.day == 1),
            (search.next_hour, lambda at: at.hour in self.hours, lambda at: at.hour == 0),
            (search.next_minute, lambda at: at.minute in self.minutes, lambda at: at.minute == 0),
            (search.next_full_minute, lambda at: at.second == 0, lambda _: True),
        )
        for advance, matches, has_wrapped in stages:
            while not matches(search.local):
                advance()
                if has_wrapped(search.local):
                    return False
        return True

    def count(self, last: datetime, days: int) -> int:
        """Return the number of runs in the days that end with a local date, clock changes aside."""
        dates = (last - timedelta(days=ago) for ago in range(days))
        matching = sum(date.month in self.months and self._matches_day(date) for date in dates)
        return matching * len(self.hours) * len(self.minutes)

    def _matches_day(self, local: datetime) -> bool:
        is_day = local.day in self.days
        is_weekday = local.isoweekday() % 7 in self.weekdays
        return (is_day and is_weekday) if self.needs_both_days else (is_day or is_weekday)


class _Search:
    """A time that is advanced to the start of the next month, day, hour or minute."""

    def __init__(self, moment: datetime, zone: tzinfo) -> None:
        self.at = moment.astimezone(UTC).replace(microsecond=0) + SECOND
        self._zone = zone
        self._is_at_start = False  # of a unit: the first step resets all smaller ones

    @property
    def local(self) -> datetime:
        return self.at.astimezone(self._zone)

    def next_month(self) -> None:
        local = self._reset(day=1, hour=0, minute=0, second=0)
        years, month = divmod(local.month, 12)
        self.at = self._resolve(local.replace(year=local.year + years, month=month + 1))

    def next_day(self) -> None:
        local = self._reset(hour=0, minute=0, second=0)
        self.at = self._resolve(local + timedelta(days=1))
        hour = self.local.hour
        if hour:  # midnight does not exist on this day
            self.at += (24 - hour if hour > NOON else -hour) * HOUR

    def next_hour(self) -> None:
        self._reset(minute=0, second=0)
        self.at += HOUR

    def next_minute(self) -> None:
        if not self._is_at_start:
            self.at = self.at.replace(second=0)
            self._is_at_start = True
        self.at += MINUTE

    def next_full_minute(self) -> None:
        self._is_at_start = True
        self.at = self.at.replace(second=0) + MINUTE

    def _reset(self, **parts: int) -> datetime:
        """Set the smaller parts of the local time, on the first step; return it without a zone."""
        if not self._is_at_start:
            self._is_at_start = True
            self.at = self._resolve(self.local.replace(tzinfo=None, **parts))
        return self.local.replace(tzinfo=None)

    def _resolve(self, local: datetime) -> datetime:
        """Return a local time in UTC; a missing one is moved as by Go's ``time.Date``."""
        guess = local.replace(tzinfo=UTC, fold=0)
        return guess - self._offset(guess - self._offset(guess))

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta()


def _parse_field(field: Field, text: str) -> tuple[frozenset[int], bool]:
    """Return the values of a field, and whether it has an unrestricted part."""
    values: set[int] = set()
    is_any = False
    for part in filter(None, text.split(",")):
        found, is_star = _parse_part(field, part)
        values.update(found)
        is_any = is_any or is_star
    if not values:
        raise CronError(f"the {field.name} {text!r} has no value: use {field.values}")
    return frozenset(values), is_any


def _parse_part(field: Field, part: str) -> tuple[range, bool]:
    span, *steps = part.split("/")
    low, *highs = span.split("-")
    if len(steps) > 1 or len(highs) > 1:
        raise CronError(f"the {field.name} {part!r} is neither like 1-5 nor like */10")
    step = _number(field, steps[0]) if steps else 1
    if step == 0:
        raise CronError(f"the {field.name} {part!r} has the step 0: use 1 or more")
    if low in {"*", "?"}:
        return range(field.first, field.last + 1, step), step == 1
    first = _value(field, low)
    last = _value(field, highs[0]) if highs else field.last if steps else first
    if not field.first <= first <= last <= field.last:
        bounds = f"{field.first} to {field.last}"
        raise CronError(f"the {field.name} {part!r} is not within {bounds}, in ascending order")
    return range(first, last + 1, step), False


def _value(field: Field, text: str) -> int:
    if text.lower() in field.names:
        return field.first + field.names.index(text.lower())
    return _number(field, text)


def _number(field: Field, text: str) -> int:
    if not re.fullmatch(r"\+?[0-9]{1,18}", text):
        raise CronError(f"the {field.name} {text!r} is not a number: use {field.values}")
    return int(text)
