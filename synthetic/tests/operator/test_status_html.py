"""The document of the status page: groups, incidents, sparklines, and its size."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import aiohttp
import pytest

from synthetic.operator.incident_list import MAX_SHOWN, words
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.status_page import parts, render
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

NOW = datetime(2026, 1, 31, 10, 10, tzinfo=UTC)
HEALTHY = {
    "up": ("True", "Passing"),
    "down": ("False", "Failing"),
    "degraded": ("True", "Degraded"),
    "unknown": ("Unknown", "NoData"),
}
UNTIL = {"reason": "x", "until": "2026-01-31T12:00:00Z", "runs": "Pause"}
MONITORS = 1000


class Health:
    """An operator that works."""

    alive = ready = True


def in_state(state: str, name: str = "", **spec: Any) -> dict[str, Any]:
    """Return a monitor in a state."""
    status, reason = HEALTHY.get(state, ("Unknown", "Maintenance"))
    condition = {"type": "Healthy", "status": status, "reason": reason, "message": "m"}
    stored: dict[str, Any] = {"conditions": [condition]}
    stored |= {"maintenance": UNTIL} if state == "maintenance" else {}
    spec |= {"suspend": True} if state == "paused" else {}
    return monitor(name or state, stored, **spec)


def page_of(*monitors: dict[str, Any]) -> str:
    """Return the page of monitors."""
    cache = MonitorCache()
    for each in monitors:
        cache.upsert(each)
    return render(cache, NOW)


def headings(page: str) -> list[tuple[str, str]]:
    """Return the headings of the groups with their states."""
    found = re.findall(r'<h2 id="group-\w+">(.*?)</h2>\n<span class="state (\w+)">', page)
    return [(unescape(name), state) for name, state in found]


def test_a_group_has_the_state_of_its_worst_monitor_and_the_worst_group_is_first() -> None:
    order = ("down", "unknown", "degraded", "maintenance", "up", "paused")
    for place, worst in enumerate(order):
        members = [in_state(state, group="A") for state in order[place:]]
        page = page_of(*members, in_state("degraded", "b", group="B"))
        expected = [("A", worst), ("B", "degraded")]
        assert headings(page) == (expected if place < 3 else expected[::-1])


def test_monitors_without_a_group_are_under_a_neutral_heading() -> None:
    assert headings(page_of(in_state("up"), in_state("down"))) == [("Monitors", "down")]
    page = page_of(in_state("up"), in_state("up", "a", group="Zoo"))
    assert headings(page) == [("Zoo", "up"), ("Other monitors", "up")]


def test_several_groups_have_links_that_stay_the_same() -> None:
    members = [in_state("up", "a", group="A & <b>"), in_state("up", "b", group="B")]
    before = page_of(*members)
    links = re.findall(r'<a href="#(group-\w+)">(.*?)</a>', before)
    assert [unescape(name) for _, name in links] == ["A & <b>", "B"]
    assert all(f'<h2 id="{target}">' in before for target, _ in links)
    after = page_of(members[0], in_state("down", "b", group="B"))
    assert sorted(re.findall(r'<a href="#(group-\w+)">(.*?)</a>', after)) == sorted(links)
    assert "<nav" not in page_of(members[0])


def with_incidents(name: str, *lines: str) -> dict[str, Any]:
    """Return a monitor with incidents."""
    return monitor(name, {"incidents": list(lines)})


def incidents(page: str) -> list[str]:
    """Return the text of each incident."""
    section = page.partition('<section class="incidents"')[2].partition("</section>")[0]
    items = re.findall("<li>(.*?)</li>", section)
    return [" ".join(unescape(re.sub("<[^>]*>", " ", item)).split()) for item in items]


def test_incidents_are_listed_with_those_in_progress_first() -> None:
    page = page_of(
        with_incidents("a", "2026-01-30T06:00:00Z 97500 login", "2025-12-01T10:00:00Z 60"),
        with_incidents("b", "2026-01-29T07:05:00Z - <b>&", "2026-01-31T10:00:00Z 40"),
    )
    assert incidents(page) == [
        "here/b ✖ Ongoing <b>& since 2026-01-29 07:05:00 UTC , for 2 d 3 h",
        "here/b ✓ Resolved 2026-01-31 10:00:00 UTC to 2026-01-31 10:00:40 UTC , for 40 s",
        "here/a ✓ Resolved login 2026-01-30 06:00:00 UTC to 2026-01-31 09:05:00 UTC , for 1 d 3 h",
    ]
    assert "There was no incident." in page_of(monitor())


def test_the_list_of_incidents_is_bounded() -> None:
    lines = [f"2026-01-{day:02}T10:00:00Z 60" for day in range(10, 30)]
    page = page_of(*(with_incidents(f"m{number}", *lines) for number in range(5)))
    assert len(incidents(page)) == MAX_SHOWN
    assert "50 more are in the JSON of their monitors." in page


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=61, seconds=5), "1 h 1 min"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=3, minutes=4), "3 d 4 min"),
    ],
)
def test_durations_are_in_words(duration: timedelta, text: str) -> None:
    assert words(duration) == text


def spark(*runs: str) -> tuple[str, dict[str, str]]:
    """Return the label and the paths of a sparkline; the runs start a minute apart."""
    lines = [f"2026-01-31T09:{minute:02}:00Z {run}" for minute, run in enumerate(runs)]
    page = page_of(monitor("shop", {"runs": lines}))
    found = re.search(r'<svg class="spark".*? role="img" aria-label="(.*?)">(.*?)</svg>', page)
    if found is None:
        return "", {}
    return found[1], dict(re.findall(r'<path class="(\w+)" d="(.*?)"', found[2]))


def test_a_sparkline_has_the_durations_and_a_mark_in_a_gap_for_each_failure() -> None:
    label, paths = spark("passed 80", "passed 160", "failed 9999 x", "passed 40", "error 0 x")
    assert label == "Durations of 3 passed runs: median 80 ms, 40 to 160 ms"
    assert paths == {"missing": "M961 0v28M983 0v28", "time": "M939 14h0L950 3M972 20h0"}


def test_runs_of_the_cluster_and_of_maintenance_are_gaps_without_a_mark() -> None:
    _, paths = spark("passed 80", "disrupted 0 x", "failed/maintenance 90 x", "passed 80")
    assert paths.keys() == {"time"}
    assert paths["time"].count("M") == 2


def test_without_a_passed_run_there_is_no_sparkline() -> None:
    assert spark("failed 80 x") == ("", {})
    assert spark() == ("", {})
    assert spark("passed 0")[1] == {"time": "M983 25h0"}


def test_bars_are_described_by_their_results() -> None:
    runs = ["2026-01-31T09:00:00Z passed 80", "2026-01-31T09:01:00Z failed 80 x"]
    page = page_of(monitor("shop", {"runs": [*runs, "2026-01-31T09:02:00Z failed/maintenance 1"]}))
    assert 'aria-label="The last 3 runs of shop: 1 passed, 1 failed, 1 in maintenance"' in page


def many() -> MonitorCache:
    """Return a thousand monitors with all that a page shows."""
    cache = MonitorCache()
    runs = [
        f"{NOW - timedelta(minutes=90 - n):%Y-%m-%dT%H:%M:%SZ} passed {80 + n}" for n in range(90)
    ]
    lines = [f"2026-01-{day:02}T10:00:00Z 60 createClient" for day in range(1, 21)]
    for number in range(MONITORS):
        status = {"runs": runs, "incidents": lines}
        cache.upsert(monitor(f"m{number:04}", status, group=f"Team {number % 20}"))
    return cache


def test_a_page_of_a_thousand_monitors_is_written_in_small_parts() -> None:
    found = list(parts(many(), NOW))
    assert sum(part.count("<article") for part in found) == MONITORS
    assert sum(map(len, found)) < 4_500_000
    assert max(map(len, found)) < 25_000


def test_monitors_that_are_deleted_while_a_page_is_written_are_complete_on_it() -> None:
    cache = many()
    written = parts(cache, NOW)
    start = next(written)
    for view in cache:
        cache.remove((view.namespace, view.name))
    page = start + "".join(written)
    assert page.count("<article") == MONITORS
    assert page.endswith("</html>\n")


def get(path: str, method: str = "GET") -> tuple[dict[str, str], str]:
    """Return the headers and the text of a response."""

    async def fetch() -> tuple[dict[str, str], str]:
        cache = MonitorCache()
        cache.upsert(monitor())
        async with serve(0, cache, Health()) as port, aiohttp.ClientSession() as session:
            response = await session.request(method, f"http://127.0.0.1:{port}{path}")
            return dict(response.headers), await response.text()

    return asyncio.run(fetch())


def test_the_page_is_compressed_and_reloads_on_request_alone() -> None:
    headers, page = get("/")
    assert headers["Content-Encoding"] in {"deflate", "gzip"}
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert 'http-equiv="refresh"' not in page
    assert '<a href="?reload">Reload every 30 seconds</a>' in page
    page = get("/?reload")[1]
    assert '<meta http-equiv="refresh" content="30">' in page
    assert '<a href="./">Stop reloading</a>' in page


def test_a_request_for_the_headers_has_no_body() -> None:
    headers, page = get("/", "HEAD")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert page == ""


def test_the_page_links_to_the_feed() -> None:
    page = get("/")[1]
    assert re.search(
        r'<link rel="alternate" type="application/atom\+xml" title="[\w ]+" href="feed.atom">', page
    )
    assert '<a href="feed.atom">' in page


def test_readers_that_leave_early_are_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def leave() -> None:
        async with serve(0, many(), Health()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: status.example\r\n\r\n")
            await reader.readline()
            writer.transport.abort()

    asyncio.run(leave())
    assert caplog.text == ""
