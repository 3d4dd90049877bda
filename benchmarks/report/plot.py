"""A comparison as bars, in SVG."""

from html import escape

from benchmarks.measure.comparison import Comparison
from benchmarks.measure.pairs import median
from benchmarks.report.table import TITLES
from benchmarks.testbed.variants import OURS

WIDTH, LABEL, BAR, GAP = 760, 230, 16, 4  # pixels
COLOURS = {OURS: "#0b6e4f"}
OTHERS = "#9aa5b1"


def svg(comparison: Comparison) -> str:
    """Return the median rates of every operation and variant; pgbench's are no peer's."""
    names = [name for name in TITLES if name != "pgbench"]
    parts: list[str] = []
    top = 10
    for operation in comparison.extent.operations:
        rates = {name: median(comparison.samples[operation, name]) for name in names}
        parts.append(_text(10, top + 14, f"{operation}, requests a second", bold=True))
        top += 26
        for name, rate in rates.items():
            parts.append(_bar(top, name, rate, rate / max(rates.values())))
            top += BAR + GAP
        top += 14
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    style = 'font-family="system-ui, sans-serif" font-size="13"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{body}\n</svg>\n'


def _bar(top: int, name: str, rate: float, part: float) -> str:
    width = max(1, round((WIDTH - LABEL - 80) * part))
    colour = COLOURS.get(name, OTHERS)
    box = f'<rect x="{LABEL}" y="{top}" width="{width}" height="{BAR}" fill="{colour}"/>'
    label = _text(10, top + 13, TITLES[name])
    return f"{label}\n{box}\n{_text(LABEL + width + 6, top + 13, f'{rate:.0f}')}"


def _text(left: int, base: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{base}"{weight}>{escape(text)}</text>'
