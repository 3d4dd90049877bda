"""Reports of a run: a Markdown summary, and an HTML page with charts."""

import time
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from load.harness.call_stats import REFUSED, CallStats
from load.harness.comparison import Difference
from load.harness.line_charts import Line, chart
from load.harness.run_result import RunResult
from load.harness.thresholds import Check

MODELS = {
    "open": (
        "Open model: actions begin at the planned rate, whatever becomes of those before. "
        "Latencies count from the scheduled start of an action, so that a stall shows in every "
        "call that it would have delayed (no coordinated omission)."
    ),
    "closed": (
        "Closed model: each user waits for the response before the next call. A stall reduces the "
        "load, so that these latencies omit the calls that it would have delayed (coordinated "
        "omission)."
    ),
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write(
    folder: Path, result: RunResult, checks: Sequence[Check], differences: Sequence[Difference]
) -> None:
    """Write ``summary.md`` and ``report.html`` into a folder."""
    values = {
        "result": result,
        "checks": checks,
        "missed": [check for check in checks if not check.passed],
        "model": MODELS[result.plan.model],
        "unit": "actions a second" if result.plan.model == "open" else "users",
        "operations": result.recording.by_operation(*result.span),
        "differences": differences,
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(result.began)),
    }
    for name in ("summary.md", "report.html"):
        extra = {"charts": charts(result)} if name.endswith("html") else {}
        template = _TEMPLATES.get_template(f"{name}.j2")
        (folder / name).write_text(template.render(**values, **extra))


def charts(result: RunResult) -> list[Markup]:
    """Return the charts of calls, latencies and failures by second."""
    seconds = _by_second(result)
    bands = [(phase.name, start) for phase, start, _ in result.plan.spans()]
    planned = [(result.plan.at(n) or (None, 0.0))[1] for n in range(len(seconds))]
    is_open = result.plan.model == "open"
    calls = [
        Line("calls", [stats.count for stats in seconds]),
        Line("planned actions" if is_open else "users", planned),
    ]
    latencies = [
        Line(f"p{p:g}", [stats.percentile(p / 100) for stats in seconds]) for p in (50, 95, 99)
    ]
    failures = [
        Line("failed", [stats.failed for stats in seconds]),
        Line("refused", [stats.outcomes[REFUSED] for stats in seconds]),
    ]
    return [
        chart("Calls", "a second", calls, bands),
        chart("Latency", "ms", latencies, bands),
        chart("Failed and refused", "a second", failures, bands),
    ]


def _by_second(result: RunResult) -> list[CallStats]:
    begin = int(result.began)
    found: dict[int, CallStats] = {}
    for (second, _), stats in result.recording.cells.items():
        found.setdefault(second - begin, CallStats()).add(stats)
    return [found.get(n, CallStats()) for n in range(max(found, default=0) + 1)]
