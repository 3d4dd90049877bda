"""The status page: all monitors by group, and their incidents, in HTML without scripts."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources

from synthetic.operator import incident_feed, incident_list
from synthetic.operator.monitor_cache import MonitorCache, MonitorView
from synthetic.operator.spec import SEVERITIES
from synthetic.operator.status_article import STATES, article, state_label

REFRESH_SECONDS = 30  # seconds
WORST_FIRST = ("down", "unknown", "degraded", "maintenance", "up", "paused")  # of a group
UNGROUPED, ALL = "Other monitors", "Monitors"
LEGEND = (
    ("passed", "passed (low)"),
    ("slow", "passed slowly (high)"),
    ("failed", "failed (whole height)"),
    ("error", "the monitor itself failed (upper half)"),
    ("disrupted", "disrupted by the cluster (middle)"),
    ("maintenance", "in maintenance, does not count (foot)"),
)
Group = tuple[str, list[MonitorView]]


def render(cache: MonitorCache, now: datetime) -> str:
    """Return the page."""
    return "".join(parts(cache, now))


def parts(cache: MonitorCache, now: datetime, *, reloads: bool = False) -> Iterator[str]:
    """Yield the page in parts: of a thousand monitors the whole page takes long.

    A page that ``reloads`` does so every 30 seconds. A reader chooses that (WCAG 2.2, 2.2.1): it
    interrupts screen readers.
    """
    views = list(cache)
    groups = _groups(views)
    yield _head(views, _refresh(reloads=reloads))
    yield _header(views, groups, cache.holders, now)
    for name, members in groups:
        yield _group_head(name, members)
        for view in sorted(members, key=_order):
            yield article(view, now)
        yield "</section>\n"
    if not views:
        yield "<p>There is no SyntheticMonitor yet.</p>\n"
    yield incident_list.section(views, now)
    yield _foot(reloads=reloads)


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


def _refresh(*, reloads: bool) -> str:
    return f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">\n' if reloads else ""


def _head(views: Sequence[MonitorView], refresh: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{escape(summary(views))}</title>
<link rel="alternate" type="{incident_feed.MEDIA_TYPE}" title="{incident_feed.TITLE}" \
href="{incident_feed.PATH}">
<style>{_style()}</style>
</head>
<body>
"""


def _header(
    views: Sequence[MonitorView],
    groups: Sequence[Group],
    holders: Mapping[str, str],
    now: datetime,
) -> str:
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"""<header>
<h1>{escape(summary(views))}</h1>
<p>{len(views)} monitors at {moment}</p>
{_notices(holders)}
{_contents(groups)}
</header>
<main>
"""


def _foot(*, reloads: bool) -> str:
    link = "./" if reloads else "?reload"
    words = "Stop reloading" if reloads else f"Reload every {REFRESH_SECONDS} seconds"
    key = " ".join(f'<span class="key {kind}">{tooltip}</span>' for kind, tooltip in LEGEND)
    return f"""</main>
<footer>
<p class="legend"><span>Each bar is a run, the newest on the right:</span> {key}</p>
<p>The line below has the durations of passed runs. Dashed marks are runs that did not pass.</p>
<p><a href="{incident_feed.PATH}">Feed of the incidents</a> · <a href="{link}">{words}</a></p>
</footer>
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


def _groups(views: Iterable[MonitorView]) -> list[Group]:
    """Return the groups: the worst first, then by name, and ungrouped monitors after equals."""
    found: dict[str, list[MonitorView]] = defaultdict(list)
    for view in views:
        found[view.spec.group].append(view)
    ordered = sorted(
        found.items(),
        key=lambda group: (WORST_FIRST.index(_worst(group[1])), not group[0], group[0]),
    )
    others = UNGROUPED if len(found) > 1 else ALL
    return [(name or others, members) for name, members in ordered]


def _worst(members: Iterable[MonitorView]) -> str:
    return min((view.state for view in members), key=WORST_FIRST.index)


def _contents(groups: Sequence[Group]) -> str:
    """Return links to the groups with their states, if there are several."""
    if not groups[1:]:
        return ""
    links = "\n".join(
        f'<li><a href="#{_anchor(name)}">{escape(name)}</a> {state_label(_worst(members))}</li>'
        for name, members in groups
    )
    return f'<nav aria-label="Groups"><ul>\n{links}\n</ul></nav>'


def _group_head(name: str, members: Sequence[MonitorView]) -> str:
    """Return the start of a group's section, with the state of its worst monitor."""
    return (
        f'<section aria-labelledby="{_anchor(name)}">\n'
        f'<div class="head"><h2 id="{_anchor(name)}">{escape(name)}</h2>\n'
        f"{state_label(_worst(members))}</div>\n"
    )


def _anchor(name: str) -> str:
    """Return the identifier of a group, which stays the same when the page is loaded again."""
    return f"group-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _order(view: MonitorView) -> tuple[int, int]:
    return list(STATES).index(view.state), SEVERITIES.index(view.spec.severity)


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("status_page.css").read_text()
