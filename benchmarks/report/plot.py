"""Bar chart of a comparison, as SVG."""

from html import escape

from benchmarks.measure.comparison import Comparison
from benchmarks.measure.paired_samples import median
from benchmarks.report.table import TITLES
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.variants import OURS

WIDTH, LABEL_WIDTH, BAR_HEIGHT, GAP = 760, 230, 16, 4  # pixels
COLOURS = {OURS: "#0b6e4f"}
OTHER_COLOUR = "#9aa5b1"


def svg(comparison: Comparison) -> str:
    """Return the median rates of every operation and variant, without pgbench."""
    names = [name for name in TITLES if name != PGBENCH]
    parts: list[str] = []
    top = 10
    for operation in comparison.workload.operations:
        rates = {name: median(comparison.samples[operation, name]) for name in names}
        parts.append(_text(10, top + 14, f"{operation}, requests a second", bold=True))
        top += 26
        for name, rate in rates.items():
            parts.append(_bar(top, name, rate, rate / max(rates.values())))
            top += BAR_HEIGHT + GAP
        top += 14
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    style = 'font-family="system-ui, sans-serif" font-size="13"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{body}\n</svg>\n'


def _bar(top: int, name: str, rate: float, fraction: float) -> str:
    width = max(1, round((WIDTH - LABEL_WIDTH - 80) * fraction))
    colour = COLOURS.get(name, OTHER_COLOUR)
    box = (
        f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width}" height="{BAR_HEIGHT}" fill="{colour}"/>'
    )
    label = _text(10, top + 13, TITLES[name])
    return f"{label}\n{box}\n{_text(LABEL_WIDTH + width + 6, top + 13, f'{rate:.0f}')}"


def _text(left: int, base: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{base}"{weight}>{escape(text)}</text>'
