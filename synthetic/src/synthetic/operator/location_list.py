"""The locations of a monitor as a list of the status page."""

from html import escape

from synthetic.operator.location_view import LocationView
from synthetic.operator.monitor_cache import MonitorView

STATES = {
    "up": "\u25cf passing",
    "down": "\u2716 failing",
    "degraded": "\u25b2 slow",
    "unknown": "? unknown",
    "maintenance": "\u2692 in maintenance",
    "paused": "\u2016 paused",
}
SHOW_MESSAGE = frozenset({"down", "unknown", "degraded"})


def render(view: MonitorView) -> str:
    """Return the list, or an empty text for a monitor without locations."""
    if not view.locations:
        return ""
    items = "".join(map(_item, view.locations))
    total, quorum = len(view.locations), view.spec.quorum
    title = f"{total} locations, unhealthy when {quorum} {'fails' if quorum == 1 else 'fail'}"
    return (
        f'<div class="locations"><p class="what">{title}</p>'
        f'<ul aria-label="Locations of {escape(view.name)}">{items}</ul></div>'
    )


def _item(location: LocationView) -> str:
    parts = [f"<strong>{escape(location.name)}</strong> {STATES[location.state]}"]
    if location.last:
        ended = location.last["finishedAt"]
        shown = f"{ended[:10]} {ended[11:19]} UTC"
        parts.append(
            f"last run {escape(location.last['result'])} at "
            f'<time datetime="{escape(ended)}">{escape(shown)}</time>'
        )
    if location.history.consecutive_failures:
        parts.append(f"{location.history.consecutive_failures} failures in a row")
    if location.state in SHOW_MESSAGE:
        message = escape(location.healthy.get("message", "no data yet"))
        parts.append(f'<span class="why">{message}</span>')
    text = " \u00b7 ".join(parts)
    return f'<li class="{location.state}">{text}</li>'
