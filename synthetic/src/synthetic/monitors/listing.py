"""A table of monitors with their health."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from synthetic.operator.monitor_cache import MonitorCache, MonitorView
from synthetic.operator.resources import Object
from synthetic.operator.status import percent
from synthetic.operator.stored_status import read_status

HEADER = ("NAMESPACE", "NAME", "JOURNEY", "STATE", "REASON", "LAST", "ENDED", "24H", "30D")
NO_VALUE = "-"


def views(monitors: Iterable[Object], now: datetime) -> list[MonitorView]:
    """Return monitors as the operator shows them, sorted by namespace and name."""
    cache = MonitorCache()
    for monitor in monitors:
        status, _ = read_status(monitor, now)
        cache.upsert({**monitor, "status": status})
    return list(cache)


def format_monitors(monitors: Iterable[Object], now: datetime) -> str:
    """Return a table of monitors, or a sentence without any."""
    found = views(monitors, now)
    if not found:
        return "There are no monitors\n"
    rows = [HEADER, *(_row(view, now) for view in found)]
    if any(view.locations for view in found):
        cells = ["LOCATIONS", *map(_locations, found)]
        rows = [(*row, cell) for row, cell in zip(rows, cells, strict=True)]
    return format_table(rows)


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines with aligned columns; an empty value is a dash."""
    filled = [[cell or NO_VALUE for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in filled
    )


def _locations(view: MonitorView) -> str:
    """Return the states of the locations, those with the most first, like ``2 up, 1 down``."""
    states = Counter(location.state for location in view.locations)
    return ", ".join(f"{count} {state}" for state, count in states.most_common())


def _row(view: MonitorView, now: datetime) -> tuple[str, ...]:
    return (
        view.namespace,
        view.name,
        view.journey,
        view.state,
        view.healthy.get("reason", ""),
        view.last.get("result", ""),
        view.last.get("finishedAt", ""),
        *(percent(view.history.uptime(window, now)) for window in ("24h", "30d")),
    )
