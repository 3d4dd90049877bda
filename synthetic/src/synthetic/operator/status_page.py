"""The status page: all monitors with their last runs as bars, in HTML without scripts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources

from synthetic.operator.failures import explain, headline
from synthetic.operator.history import MAX_RUNS, RunRecord
from synthetic.operator.monitor_cache import MonitorCache, MonitorView
from synthetic.operator.resources import Object
from synthetic.operator.spec import SEVERITIES
from synthetic.operator.status import UPTIME_WINDOWS, percent

REFRESH_SECONDS = 30  # seconds
NO_VALUE = "&ndash;"
BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 8, 3, 34

STATES = {  # with a symbol beside the colour; the order is the one of the page
    "down": "\u2716 Failing",
    "unknown": "? Unknown",
    "degraded": "\u25b2 Slow",
    "up": "\u25cf Operational",
    "maintenance": "\u2692 Maintenance",
    "paused": "\u2016 Paused",
}
LEGEND = (
    ("passed", "passed (low)"),
    ("slow", "passed slowly (high)"),
    ("failed", "failed (whole height)"),
    ("error", "the monitor itself failed (upper half)"),
    ("disrupted", "disrupted by the cluster (middle)"),
    ("maintenance", "in maintenance, does not count (foot)"),
)
SHAPES = {  # top and height of a bar, as parts of the whole height
    "passed": (0.4, 0.6),
    "slow": (0.2, 0.8),
    "failed": (0.0, 1.0),
    "error": (0.0, 0.5),
    "disrupted": (0.3, 0.4),
    "maintenance": (0.75, 0.25),
    "none": (0.4, 0.6),
}


def render(cache: MonitorCache, now: datetime) -> str:
    """Return the page."""
    found = sorted(cache, key=lambda view: (_order(view), view.namespace, view.name))
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
{_notices(cache.holders)}
</header>
<main>
{articles or "<p>There is no SyntheticMonitor yet.</p>"}
</main>
<footer><span>Each bar is a run, the newest on the right:</span> {key}</footer>
</body>
</html>
"""


def _notices(holders: Mapping[str, str]) -> str:
    """Return the namespaces without monitors on this page, because others manage them."""
    sentences = (
        f"The operator {escape(holder)} manages the namespace {escape(namespace)}"
        for namespace, holder in holders.items()
    )
    return "\n".join(f'<p class="why">{sentence}</p>' for sentence in sentences)


def summary(views: Iterable[MonitorView]) -> str:
    """Return the overall state in a few words."""
    states = Counter(view.state for view in views)
    in_maintenance, paused = (states.pop(state, 0) for state in ("maintenance", "paused"))
    suffixes = (
        f", {in_maintenance} in maintenance" * bool(in_maintenance),
        f", {paused} paused" * bool(paused),
    )
    return _summary_of_active(states, in_maintenance, paused) + "".join(suffixes)


def _summary_of_active(states: Counter[str], in_maintenance: int, paused: int) -> str:
    if not states:
        idle = "No monitors run" if paused else "There are no monitors"
        return "No results count" if in_maintenance else idle
    if states["down"]:
        return f"{states['down']} of {states.total()} monitors failing"
    if states["unknown"]:
        return f"{states['unknown']} of {states.total()} monitors without data"
    if states["degraded"]:
        return f"{states['degraded']} of {states.total()} monitors slow"
    return "All monitors pass"


def _order(view: MonitorView) -> tuple[int, int]:
    return list(STATES).index(view.state), SEVERITIES.index(view.spec.severity)


def _article(view: MonitorView, now: datetime) -> str:
    uptimes = "".join(
        f"<div><dt>{window}</dt>"
        f"<dd>{percent(view.history.uptime(window, now)) or NO_VALUE}</dd></div>"
        for window in UPTIME_WINDOWS
    )
    budget = view.slo.get("budgetRemaining") or NO_VALUE
    if budget.startswith("-"):  # its size means little after few runs
        budget = "used up"
    namespace = f'<span class="namespace">{escape(view.namespace)}/</span>'
    return f"""<article class="{view.state}">
<div class="head"><h2>{namespace}{escape(view.name)}</h2>
<span class="state">{STATES[view.state]}</span></div>
<p class="what">{_description(view)}</p>
{_bars(view)}
{_scale(view.history.runs)}
<dl>{uptimes}<div><dt>error budget</dt><dd>{budget}</dd></div>{_last(view)}{_certificate(view)}</dl>
{_failures(view)}
</article>"""


def _description(view: MonitorView) -> str:
    words = [escape(view.journey), escape(view.schedule), escape(view.target), view.spec.severity]
    if view.state in {"down", "unknown", "degraded", "maintenance"}:
        words.append(
            f'<span class="why">{escape(view.healthy.get("message", "no data yet"))}</span>'
        )
    if view.ready.get("status") == "False":
        words.append(f'<span class="why">{escape(view.ready["message"])}</span>')
    return " · ".join(word for word in words if word)


def _last(view: MonitorView) -> str:
    if not view.last:
        return ""
    return (
        f"<div><dt>last run</dt><dd>{escape(view.last['result'])}, "
        f"{view.last['durationMs']} ms</dd></div>"
        f"<div><dt>at</dt><dd>{_time(view.last['finishedAt'])}</dd></div>{_failure(view.last)}"
    )


def _certificate(view: MonitorView) -> str:
    end = view.history.certificate_expiry
    return f"<div><dt>certificate until</dt><dd>{_time(end)}</dd></div>" if end else ""


def _failure(last: Object) -> str:
    """Return what helps to find the cause of a failed run: its Job and its trace."""
    if last["result"] == "passed":
        return ""
    found = (("Job", last["job"]), ("trace", last.get("traceId", "")))
    return "".join(
        f"<div><dt>{name}</dt><dd><code>{escape(text)}</code></dd></div>"
        for name, text in found
        if text
    )


def _failures(view: MonitorView) -> str:
    """Return the last failures with what has failed, the newest first."""
    if not view.history.failures:
        return ""
    items = "".join(
        f"<li>{_time(failure['finishedAt'])} {escape(headline(failure))}"
        f"<br><code>{escape(explain(failure))}</code></li>"
        for failure in view.history.failures
    )
    return f"<details><summary>Last failures</summary><ol>{items}</ol></details>"


def _scale(runs: tuple[RunRecord, ...]) -> str:
    """Return the times of the first and of the last bar."""
    if not runs:
        return ""
    return f'<p class="scale"><span>{_time(runs[0].at)}</span><span>{_time(runs[-1].at)}</span></p>'


def _time(moment: str) -> str:
    """Return a time of a status with its date, like ``2026-01-31 10:05:00 UTC``."""
    shown = f"{moment[:10]} {moment[11:19]} UTC"
    return f'<time datetime="{escape(moment)}">{escape(shown)}</time>'


def _bars(view: MonitorView) -> str:
    """Return the runs as bars; positions without a run are pale."""
    runs, slow_ms = view.history.runs, view.spec.degraded_ms
    width = MAX_RUNS * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    empty = MAX_RUNS - len(runs)
    bars = [_bar(place, "none", "") for place in range(empty)]
    for place, run in enumerate(runs, empty):
        tooltip = " ".join(
            part
            for part in (
                run.at,
                run.result,
                f"{run.duration_ms} ms",
                "in maintenance" if run.in_maintenance else "",
                run.detail,
            )
            if part
        )
        bars.append(_bar(place, _kind(run, slow_ms), tooltip))
    label = f"The last {len(runs)} runs of {escape(view.name)}"
    return (
        f'<svg viewBox="0 0 {width} {BAR_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(bars)}</svg>'
    )


def _kind(run: RunRecord, slow_ms: int) -> str:
    if run.in_maintenance:
        return "maintenance"
    is_slow = run.result == "passed" and 0 < slow_ms < run.duration_ms
    return "slow" if is_slow else run.result


def _bar(place: int, kind: str, tooltip: str) -> str:
    title = f"<title>{escape(tooltip)}</title>" if tooltip else ""
    top, height = (round(part * BAR_HEIGHT, 1) for part in SHAPES[kind])
    size = f'x="{place * (BAR_WIDTH + BAR_GAP)}" y="{top}" width="{BAR_WIDTH}" height="{height}"'
    return f'<rect class="{kind}" {size} rx="2">{title}</rect>'


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("status_page.css").read_text()
