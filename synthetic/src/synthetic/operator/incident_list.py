"""Incidents of all monitors, for the status page and the feed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from synthetic.operator.incident import Incident
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.status_article import time
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

MAX_SHOWN = 50  # on the page; the JSON of each monitor has all


@dataclass(frozen=True)
class MonitorIncident:
    """An incident with its monitor."""

    view: MonitorView
    incident: Incident


def collect(views: Iterable[MonitorView], now: datetime) -> list[MonitorIncident]:
    """Return the incidents of the last 30 days: first the ongoing ones, then the newest."""
    found = [MonitorIncident(view, each) for view in views for each in view.incidents(now)]
    found.sort(key=lambda each: each.incident.start, reverse=True)
    return sorted(found, key=lambda each: each.incident.end is not None)


def section(views: Iterable[MonitorView], now: datetime) -> str:
    """Return the section of the page."""
    found = collect(views, now)
    items = "\n".join(_item(each, now) for each in found[:MAX_SHOWN])
    shown = f"<ol>\n{items}\n</ol>" if items else "<p>There was no incident.</p>"
    if len(found) > MAX_SHOWN:
        shown += f"\n<p>{len(found) - MAX_SHOWN} more are in the JSON of their monitors.</p>"
    return (
        '<section class="incidents" aria-labelledby="incidents">\n'
        f'<h2 id="incidents">Incidents of the last 30 days</h2>\n{shown}\n</section>\n'
    )


def words(duration: timedelta) -> str:
    """Return a duration in its two largest units, like ``3 h 5 min``."""
    seconds = duration // timedelta(seconds=1)
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    found = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(found[:2]) or f"{seconds} s"


def _item(found: MonitorIncident, now: datetime) -> str:
    view, incident = found.view, found.incident
    start = time(incident.start.strftime(TIMESTAMP_FORMAT))
    lasted = words(incident.duration(now))
    if incident.end is None:
        kind, state, period = "down", "\u2716 Ongoing", f"since {start}, for {lasted}"
    else:
        end = time(incident.end.strftime(TIMESTAMP_FORMAT))
        kind, state, period = "up", "\u2713 Resolved", f"{start} to {end}, for {lasted}"
    reason = f'<br><span class="why">{escape(incident.reason)}</span>' if incident.reason else ""
    return (
        f"<li><strong>{escape(view.namespace)}/{escape(view.name)}</strong> "
        f'<span class="state {kind}">{state}</span>{reason}<br>{period}</li>'
    )
