"""A table of monitors with their health."""

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
    rows = [_row(view, now) for view in views(monitors, now)]
    return format_table([HEADER, *rows]) if rows else "There are no monitors\n"


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines with aligned columns; an empty value is a dash."""
    filled = [[cell or NO_VALUE for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in filled
    )


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
