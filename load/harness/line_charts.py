"""Line charts as SVG, inline in an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 860, 200
MARGIN_LEFT, MARGIN_BOTTOM, MARGIN_TOP = 56, 22, 10
PLOT_HEIGHT = HEIGHT - MARGIN_BOTTOM - MARGIN_TOP
SHADES = ("#e9edf0", "#f3f5f7")
COLOURS = ("#1f6f8b", "#d1603d", "#8a8f98", "#7a9e3f")


@dataclass(frozen=True)
class Line:
    """One line: a name, and a value for each second."""

    name: str
    values: Sequence[float]


def chart(
    title: str, unit: str, lines: Sequence[Line], bands: Sequence[tuple[str, float]]
) -> Markup:
    """Return a chart.

    Args:
        title: the caption.
        unit: the unit of the values.
        lines: lines of equal length, with a value for each second.
        bands: phases in the background, each with its first second.

    """
    seconds = max((len(line.values) for line in lines), default=1)
    top = max((max(line.values, default=0) for line in lines), default=0) or 1
    parts = [_bands(bands, seconds), _grid(top, seconds)]
    for line, colour in zip(lines, COLOURS, strict=False):
        points = " ".join(
            f"{_x(n, seconds):.1f},{_y(v, top):.1f}" for n, v in enumerate(line.values)
        )
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{points}"/>'
        )
    legend = " ".join(
        f'<span style="color:{colour}">&#9644;</span> {escape(line.name)}'
        for line, colour in zip(lines, COLOURS, strict=False)
    )
    return Markup(  # noqa: S704 - only numbers and escaped names
        f"<figure><figcaption><b>{escape(title)}</b> ({escape(unit)}) {legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg></figure>"
    )


def _x(second: float, seconds: int) -> float:
    return MARGIN_LEFT + (WIDTH - MARGIN_LEFT) * second / max(1, seconds - 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - MARGIN_BOTTOM - PLOT_HEIGHT * value / top


def _bands(bands: Sequence[tuple[str, float]], seconds: int) -> str:
    ends = [begin for _, begin in bands[1:]] + [seconds - 1.0]
    parts = []
    for number, ((name, begin), end) in enumerate(zip(bands, ends, strict=True)):
        left, width = _x(begin, seconds), max(0.0, _x(end, seconds) - _x(begin, seconds))
        parts.append(
            f'<rect x="{left:.1f}" y="{MARGIN_TOP}" width="{width:.1f}" height="{PLOT_HEIGHT}"'
            f' fill="{SHADES[number % 2]}"/>'
            f'<text x="{left + 3:.1f}" y="{MARGIN_TOP + 11}">{escape(name)}</text>'
        )
    return "".join(parts)


def _grid(top: float, seconds: int) -> str:
    parts = []
    for share in (0, 0.5, 1):
        y = _y(top * share, top)
        parts.append(
            f'<text x="{MARGIN_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{top * share:,.0f}</text>"
            f'<line x1="{MARGIN_LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    for quarter in range(1, 4):
        second = seconds * quarter // 4
        place = f'x="{_x(second, seconds):.1f}" y="{HEIGHT - 6}" text-anchor="middle"'
        parts.append(f"<text {place}>{second} s</text>")
    return "".join(parts)
