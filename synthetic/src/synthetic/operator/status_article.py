"""One monitor on the status page, in HTML."""

from datetime import datetime
from html import escape

from synthetic.operator import location_list
from synthetic.operator.failures import explain, headline
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.resources import Object
from synthetic.operator.run_charts import bars, describe, durations_of, sparkline
from synthetic.operator.run_record import RunRecord
from synthetic.operator.status import UPTIME_WINDOWS, percent

NO_VALUE = "&ndash;"
STATES = {  # with a symbol beside the colour; the order is the one of the page
    "down": "\u2716 Failing",
    "unknown": "? Unknown",
    "degraded": "\u25b2 Slow",
    "up": "\u25cf Operational",
    "maintenance": "\u2692 Maintenance",
    "paused": "\u2016 Paused",
}


def article(view: MonitorView, now: datetime) -> str:
    """Return a monitor with its runs, figures and last failures."""
    uptimes = "".join(
        _figure(window, percent(view.history.uptime(window, now)) or NO_VALUE)
        for window in UPTIME_WINDOWS
    )
    budget = view.slo.get("budgetRemaining") or NO_VALUE
    if budget.startswith("-"):  # its size means little after few runs
        budget = "used up"
    durations = durations_of(view.history.runs)
    times = _figure("duration", describe(durations)) if durations else ""
    namespace = f'<span class="namespace">{escape(view.namespace)}/</span>'
    return f"""<article class="{view.state}">
<div class="head"><h3>{namespace}{escape(view.name)}</h3>
{state_label(view.state)}</div>
<p class="what">{_description(view)}</p>
{bars(view.name, view.history.runs, view.spec.degraded_ms)}
{sparkline(view.history.runs)}
{_scale(view.history.runs)}
{location_list.render(view)}
<dl>{uptimes}{_figure("error budget", budget)}{times}{_last(view)}{_certificate(view)}</dl>
{_failures(view)}
</article>
"""


def state_label(state: str) -> str:
    """Return a state with its symbol."""
    return f'<span class="state {state}">{STATES[state]}</span>'


def time(moment: str) -> str:
    """Return a time of a status with its date, like ``2026-01-31 10:05:00 UTC``."""
    shown = f"{moment[:10]} {moment[11:19]} UTC"
    return f'<time datetime="{escape(moment)}">{escape(shown)}</time>'


def _figure(name: str, value: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}</dd></div>"


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
    result = f"{escape(view.last['result'])}, {view.last['durationMs']} ms"
    figures = (_figure("last run", result), _figure("at", time(view.last["finishedAt"])))
    return "".join(figures) + _failure(view.last)


def _certificate(view: MonitorView) -> str:
    end = view.history.certificate_expiry
    return _figure("certificate until", time(end)) if end else ""


def _failure(last: Object) -> str:
    """Return what helps to find the cause of a failed run: its Job and its trace."""
    if last["result"] == "passed":
        return ""
    found = (("Job", last["job"]), ("trace", last.get("traceId", "")))
    return "".join(_figure(name, f"<code>{escape(text)}</code>") for name, text in found if text)


def _failures(view: MonitorView) -> str:
    """Return the last failures with what has failed, the newest first."""
    if not view.history.failures:
        return ""
    items = "".join(
        f"<li>{time(failure['finishedAt'])} {escape(headline(failure))}"
        f"<br><code>{escape(explain(failure))}</code></li>"
        for failure in view.history.failures
    )
    return f"<details><summary>Last failures</summary><ol>{items}</ol></details>"


def _scale(runs: tuple[RunRecord, ...]) -> str:
    """Return the times of the first and of the last bar."""
    if not runs:
        return ""
    return f'<p class="scale"><span>{time(runs[0].at)}</span><span>{time(runs[-1].at)}</span></p>'
