"""Tells of a run: a Markdown summary, and a page with charts."""

import time
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from load.harness.charts import Line, chart
from load.harness.comparison import Difference
from load.harness.recording import REFUSED, Cell
from load.harness.run_result import Outcome
from load.harness.thresholds import Row

MODELS = {
    "open": (
        "Open model: actions begin at the planned rate, whatever becomes of those before. "
        "Latencies count from when an action was due, so that a stall is told by everybody who "
        "would have met it (no coordinated omission)."
    ),
    "closed": (
        "Closed model: each user waits for an answer before the next call. Latencies are what "
        "those users met; a stall holds the load back, so these figures cannot tell what others "
        "would have met (coordinated omission)."
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
    folder: Path, outcome: Outcome, rows: Sequence[Row], differences: Sequence[Difference]
) -> None:
    """Write ``summary.md`` and ``report.html`` into a folder."""
    values = {
        "outcome": outcome,
        "rows": rows,
        "missed": [row for row in rows if not row.holds],
        "model": MODELS[outcome.plan.model],
        "unit": "actions a second" if outcome.plan.model == "open" else "users",
        "operations": outcome.recording.by_operation(*outcome.span),
        "differences": differences,
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(outcome.began)),
    }
    for name in ("summary.md", "report.html"):
        extra = {"charts": charts(outcome)} if name.endswith("html") else {}
        template = _TEMPLATES.get_template(f"{name}.j2")
        (folder / name).write_text(template.render(**values, **extra))


def charts(outcome: Outcome) -> list[Markup]:
    """Return the charts of a run: calls, latencies, and what went wrong, second by second."""
    begin = int(outcome.began)
    cells: dict[int, Cell] = {}
    for (second, _), cell in outcome.recording.cells.items():
        cells.setdefault(second - begin, Cell()).add(cell)
    seconds = [cells.get(n, Cell()) for n in range(max(cells, default=0) + 1)]
    bands = [(phase.name, start) for phase, start, _ in outcome.plan.spans()]
    planned = [(outcome.plan.at(n) or (None, 0.0))[1] for n in range(len(seconds))]
    is_open = outcome.plan.model == "open"
    calls = [
        Line("calls", [cell.count for cell in seconds]),
        Line("actions asked" if is_open else "users", planned),
    ]
    latencies = [
        Line(f"p{p:g}", [cell.percentile(p / 100) for cell in seconds]) for p in (50, 95, 99)
    ]
    wrong = [
        Line("failed", [cell.failed for cell in seconds]),
        Line("refused", [cell.outcomes[REFUSED] for cell in seconds]),
    ]
    return [
        chart("Calls", "a second", calls, bands),
        chart("Latency", "ms", latencies, bands),
        chart("Failed and refused", "a second", wrong, bands),
    ]
