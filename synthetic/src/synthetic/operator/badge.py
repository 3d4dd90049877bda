"""The badge of a monitor: name, state, passing locations and uptime as an SVG image."""

from datetime import datetime
from html import escape

from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.status import percent

COLOURS = {  # white text on them has a contrast of at least 4.5
    "up": "#137333",
    "degraded": "#8a5300",
    "down": "#b3261e",
    "unknown": "#5f6368",
    "maintenance": "#1a5fb4",
    "paused": "#5f6368",
}
CHARACTER_WIDTH, PADDING, HEIGHT = 7.2, 8, 20  # of 12 px monospace, in px
WINDOW = "30d"
HIDES_LOCATIONS = frozenset({"maintenance", "paused"})


def render(view: MonitorView, now: datetime) -> str:
    """Return the image."""
    state = f"{view.state}{_locations(view)} {percent(view.history.uptime(WINDOW, now))}".rstrip()
    left, right = (round(len(text) * CHARACTER_WIDTH + 2 * PADDING) for text in (view.name, state))
    label = escape(f"{view.name}: {state}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect width="{left}" height="{HEIGHT}" fill="#3c4043"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{COLOURS[view.state]}"/>'
        f'<g fill="#fff" font-family="monospace" font-size="12">{_text(PADDING, view.name)}'
        f"{_text(left + PADDING, state)}</g></svg>"
    )


def _locations(view: MonitorView) -> str:
    """Return how many locations pass, or nothing without locations."""
    found = view.locations
    passing = sum(each.state in {"up", "degraded"} for each in found)
    return f" {passing}/{len(found)}" if found and view.state not in HIDES_LOCATIONS else ""


def _text(x: int, text: str) -> str:
    width = round(len(text) * CHARACTER_WIDTH)
    return f'<text x="{x}" y="14" textLength="{width}">{escape(text)}</text>'
