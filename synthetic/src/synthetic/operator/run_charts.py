"""The last runs of a monitor as images in HTML: a bar each, and their durations as a sparkline."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from statistics import median

from synthetic.operator.history import MAX_RUNS
from synthetic.operator.run_record import RunRecord
from synthetic.operator.run_result import DISRUPTED, PASSED

BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 8, 3, 34
LINE_HEIGHT, LINE_MARGIN = 28, 3
WIDTH = MAX_RUNS * (BAR_WIDTH + BAR_GAP) - BAR_GAP
PLAIN = frozenset({"passed", "none"})  # kinds without a tooltip: one path for all of a monitor
SHAPES = {  # top and height of a bar, as parts of the whole height
    "passed": (0.4, 0.6),
    "slow": (0.2, 0.8),
    "failed": (0.0, 1.0),
    "error": (0.0, 0.5),
    "disrupted": (0.3, 0.4),
    "maintenance": (0.75, 0.25),
    "none": (0.4, 0.6),
}


def bars(name: str, runs: Sequence[RunRecord], slow_ms: int) -> str:
    """Return the runs as bars; positions without a run are pale."""
    empty = MAX_RUNS - len(runs)
    plain: dict[str, list[int]] = defaultdict(list)
    plain["none"].extend(range(empty))
    rects = []
    for place, run in enumerate(runs, empty):
        kind = _kind(run, slow_ms)
        if kind in PLAIN:
            plain[kind].append(place)
        else:
            rects.append(_rect(place, kind, _tooltip(run)))
    paths = [_path(kind, places) for kind, places in plain.items() if places]
    results = Counter("in maintenance" if run.in_maintenance else run.result for run in runs)
    counts = ", ".join(f"{count} {result}" for result, count in results.items())
    label = f"The last {len(runs)} runs of {name}" + (f": {counts}" if counts else "")
    return _image("bars", label, BAR_HEIGHT, [*paths, *rects])


def sparkline(runs: Sequence[RunRecord]) -> str:
    """Return the durations of passed runs as a line, with a gap and a mark for each failure."""
    durations = durations_of(runs)
    if not durations:
        return ""
    highest = max(*durations, 1)
    line, marks, is_drawn = [], [], False
    for place, run in enumerate(runs, MAX_RUNS - len(runs)):
        x = place * (BAR_WIDTH + BAR_GAP) + BAR_WIDTH // 2
        if run.result == PASSED:
            part = run.duration_ms / highest
            y = round(LINE_HEIGHT - LINE_MARGIN - part * (LINE_HEIGHT - 2 * LINE_MARGIN))
            line.append(f"L{x} {y}" if is_drawn else f"M{x} {y}h0")
        elif run.result != DISRUPTED and not run.in_maintenance:
            marks.append(f"M{x} 0v{LINE_HEIGHT}")
        is_drawn = run.result == PASSED
    paths = [f'<path class="time" d="{"".join(line)}"/>']
    if marks:
        paths.insert(0, f'<path class="missing" d="{"".join(marks)}"/>')
    label = f"Durations of {len(durations)} passed runs: {describe(durations)}"
    return _image("spark", label, LINE_HEIGHT, paths)


def durations_of(runs: Iterable[RunRecord]) -> list[int]:
    """Return the durations of the passed runs in milliseconds."""
    return [run.duration_ms for run in runs if run.result == PASSED]


def describe(durations: Sequence[int]) -> str:
    """Return the median and the range of durations in words."""
    return f"median {median(durations):.0f} ms, {min(durations)} to {max(durations)} ms"


def _kind(run: RunRecord, slow_ms: int) -> str:
    if run.in_maintenance:
        return "maintenance"
    is_slow = run.result == PASSED and 0 < slow_ms < run.duration_ms
    return "slow" if is_slow else run.result


def _tooltip(run: RunRecord) -> str:
    words = (
        run.at,
        run.location,
        run.result,
        f"{run.duration_ms} ms",
        "in maintenance" if run.in_maintenance else "",
        run.detail,
    )
    return " ".join(word for word in words if word)


def _image(kind: str, label: str, height: int, parts: Iterable[str]) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _size(kind: str) -> tuple[float, float]:
    top, height = SHAPES[kind]
    return round(top * BAR_HEIGHT, 1), round(height * BAR_HEIGHT, 1)


def _rect(place: int, kind: str, tooltip: str) -> str:
    top, height = _size(kind)
    size = f'x="{place * (BAR_WIDTH + BAR_GAP)}" y="{top}" width="{BAR_WIDTH}" height="{height}"'
    return f'<rect class="{kind}" {size} rx="2"><title>{escape(tooltip)}</title></rect>'


def _path(kind: str, places: Iterable[int]) -> str:
    """Return bars of one kind as a single element."""
    top, height = _size(kind)
    outline = f"h{BAR_WIDTH}v{height}h-{BAR_WIDTH}z"
    lines = "".join(f"M{place * (BAR_WIDTH + BAR_GAP)} {top}{outline}" for place in places)
    return f'<path class="{kind}" d="{lines}"/>'
