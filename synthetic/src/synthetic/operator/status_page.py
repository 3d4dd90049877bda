"""The status page: all monitors with their last runs as bars, in HTML without scripts."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources

from synthetic.operator.history import MAX_RUNS, RunRecord
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.status import UPTIME_WINDOWS, percent

REFRESH_SECONDS = 30  # seconds
NO_VALUE = "&ndash;"
BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 8, 3, 34

STATES = {"up": "Operational", "degraded": "Slow", "down": "Failing", "unknown": "Unknown"}
LEGEND = (
    ("passed", "passed"),
    ("failed", "failed"),
    ("error", "the monitor itself failed"),
    ("disrupted", "disrupted by the cluster"),
)


def render(views: Iterable[MonitorView], now: datetime) -> str:
    """Return the page."""
    found = sorted(views, key=lambda view: (_order(view), view.namespace, view.name))
    articles = "\n".join(_article(view, now) for view in found)
    key = " ".join(f'<span class="key {kind}">{tooltip}</span>' for kind, tooltip in LEGEND)
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<title>{escape(summary(found))}</title>
<style>{_style()}</style>
</head>
<body>
<header>
<h1>{escape(summary(found))}</h1>
<p>{len(found)} monitors at {moment}</p>
</header>
<main>
{articles or "<p>There is no SyntheticMonitor yet.</p>"}
</main>
<footer><span>Each bar is a run, the newest on the right:</span> {key}</footer>
</body>
</html>
"""


def summary(views: Iterable[MonitorView]) -> str:
    """Return the overall state in a few words."""
    states = Counter(view.state for view in views)
    if not states:
        return "There are no monitors"
    if states["down"]:
        return f"{states['down']} of {states.total()} monitors failing"
    if states["unknown"]:
        return f"{states['unknown']} of {states.total()} monitors without data"
    if states["degraded"]:
        return f"{states['degraded']} of {states.total()} monitors slow"
    return "All monitors pass"


def _order(view: MonitorView) -> int:
    return ["down", "unknown", "degraded", "up"].index(view.state)


def _article(view: MonitorView, now: datetime) -> str:
    uptimes = "".join(
        f"<div><dt>{window}</dt>"
        f"<dd>{percent(view.history.uptime(window, now)) or NO_VALUE}</dd></div>"
        for window in UPTIME_WINDOWS
    )
    budget = view.slo.get("budgetRemaining") or NO_VALUE
    if budget.startswith("-"):  # its size means little after few runs
        budget = "used up"
    return f"""<article class="{view.state}">
<div class="head"><h2>{escape(view.name)}</h2><span class="state">{STATES[view.state]}</span></div>
<p class="what">{_description(view)}</p>
{_bars(view.history.runs, view.name)}
<dl>{uptimes}<div><dt>error budget</dt><dd>{budget}</dd></div>{_last(view)}</dl>
</article>"""


def _description(view: MonitorView) -> str:
    words = [escape(view.journey), escape(view.schedule), escape(view.target)]
    if view.state in {"down", "unknown", "degraded"}:
        words.append(
            f'<span class="why">{escape(view.healthy.get("message", "no data yet"))}</span>'
        )
    if view.ready.get("status") == "False":
        words.append(f'<span class="why">{escape(view.ready["message"])}</span>')
    return " · ".join(word for word in words if word)


def _last(view: MonitorView) -> str:
    if not view.last:
        return ""
    ended = escape(view.last["finishedAt"])
    return (
        f"<div><dt>last run</dt><dd>{escape(view.last['result'])}, "
        f"{view.last['durationMs']} ms</dd></div>"
        f'<div><dt>at</dt><dd><time datetime="{ended}">{ended[11:19]}</time></dd></div>'
    )


def _bars(runs: tuple[RunRecord, ...], name: str) -> str:
    """Return the runs as bars; positions without a run are pale."""
    width = MAX_RUNS * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    empty = MAX_RUNS - len(runs)
    bars = [_bar(place, "none", "") for place in range(empty)]
    for place, run in enumerate(runs, empty):
        tooltip = " ".join(
            part for part in (run.at, run.result, f"{run.duration_ms} ms", run.detail) if part
        )
        bars.append(_bar(place, run.result, tooltip))
    label = f"The last {len(runs)} runs of {escape(name)}"
    return (
        f'<svg viewBox="0 0 {width} {BAR_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(bars)}</svg>'
    )


def _bar(place: int, kind: str, tooltip: str) -> str:
    title = f"<title>{escape(tooltip)}</title>" if tooltip else ""
    size = f'x="{place * (BAR_WIDTH + BAR_GAP)}" width="{BAR_WIDTH}" height="{BAR_HEIGHT}"'
    return f'<rect class="{kind}" {size} rx="2">{title}</rect>'


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("status_page.css").read_text()
