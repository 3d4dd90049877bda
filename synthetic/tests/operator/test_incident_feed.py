"""The feed of incidents, read by an independent parser."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import feedparser
import pytest

from synthetic.operator.incident_feed import MAX_ENTRIES
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

NOW = datetime.now(UTC).replace(microsecond=0)
WHY = "createClient http_status 503"
PUBLIC_URL = "https://status.example/monitors/feed.atom"  # of a proxy that removes /monitors


class Health:
    """An operator that works."""

    alive = ready = True


def stamp(moment: datetime) -> str:
    """Return a time as the status has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def cached(*lines: str, name: str = "shop", **spec: Any) -> MonitorCache:
    """Return a monitor with incidents."""
    cache = MonitorCache()
    cache.upsert(monitor(name, {"incidents": list(lines)}, **spec))
    return cache


def fetch(cache: MonitorCache, operator: str = "monitoring/synthetic") -> tuple[str, bytes]:
    """Return the media type and the body of the feed."""

    async def get() -> tuple[str, bytes]:
        async with serve(0, cache, Health(), operator) as port, aiohttp.ClientSession() as session:
            response = await session.get(f"http://127.0.0.1:{port}/feed.atom")
            assert response.status == 200
            return response.content_type, await response.read()

    return asyncio.run(get())


def parse(cache: MonitorCache, operator: str = "monitoring/synthetic") -> Any:
    """Return the feed as a reader at its public URL sees it."""
    media_type, body = fetch(cache, operator)
    headers = {"content-type": media_type, "content-location": PUBLIC_URL}
    found = feedparser.parse(body, response_headers=headers)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    for part in (found.feed, *found.entries):  # what RFC 4287, 4.1.1 and 4.1.2, demands
        assert part.id.startswith("urn:uuid:")
        assert part.title
        assert part.updated_parsed
    assert len({entry.id for entry in found.entries}) == len(found.entries)
    return found


def test_an_entry_is_an_incident_and_is_updated_at_its_end() -> None:
    start = NOW - timedelta(hours=2)
    ongoing = parse(cached(f"{stamp(start)} - {WHY}")).entries[0]
    assert ongoing.title == "here/shop is failing"
    assert ongoing.published == ongoing.updated == stamp(start)
    assert ongoing.content[0].value == (
        f"here/shop became unhealthy at {stamp(start)} ({WHY}). It has not recovered yet."
    )
    ended = parse(cached(f"{stamp(start)} 1500 {WHY}")).entries[0]
    end = stamp(start + timedelta(seconds=1500))
    assert ended.id == ongoing.id
    assert ended.title == "here/shop failed for 25 min"
    assert (ended.published, ended.updated) == (stamp(start), end)
    assert ended.content[0].value.endswith(f"It recovered at {end}.")


def test_the_feed_has_the_time_of_its_last_change_first() -> None:
    cache = cached(f"{stamp(NOW - timedelta(hours=5))} 60", name="a")
    late = f"{stamp(NOW - timedelta(hours=9))} {8 * 3600}"
    for name, line in (("b", late), ("c", f"{stamp(NOW - timedelta(hours=2))} -")):
        cache.upsert(monitor(name, {"incidents": [line]}))
    found = parse(cache)
    assert [entry.title.split()[0] for entry in found.entries] == ["here/b", "here/c", "here/a"]
    assert found.feed.updated == stamp(NOW - timedelta(hours=1))


def test_links_are_right_behind_a_proxy_that_removes_a_prefix() -> None:
    found = parse(cached(f"{stamp(NOW - timedelta(hours=1))} -"))
    links = {link.rel: link.href for link in found.feed.links}
    assert links == {"self": PUBLIC_URL, "alternate": "https://status.example/monitors/"}
    assert found.entries[0].link == "https://status.example/monitors/"


def test_identifiers_depend_on_operator_monitor_and_start() -> None:
    start = stamp(NOW - timedelta(hours=1))
    first, again = (parse(cached(f"{start} -")) for _ in range(2))
    assert (first.feed.id, first.entries[0].id) == (again.feed.id, again.entries[0].id)
    other = parse(cached(f"{start} -", name="other"), "other/synthetic")
    assert other.feed.id != first.feed.id
    assert other.entries[0].id != first.entries[0].id


@pytest.mark.parametrize("text", ["<b>&\"'", "]]><script>", "\x01\x1f\ufffe", "\u202e\U0001f600 é"])
def test_any_text_is_escaped(text: str) -> None:
    cache = cached(f"{stamp(NOW - timedelta(hours=1))} 60 {text}", group=f"G{text}")
    entry = parse(cache).entries[0]
    shown = "".join("\ufffd" if char in "\x01\x1f\ufffe" else char for char in text)
    assert f"({shown})" in entry.content[0].value
    assert entry.content[0].type == "text/plain"
    assert entry.tags[0].term == f"G{shown}"


def test_the_feed_has_the_last_hundred_incidents_of_all_monitors() -> None:
    cache = MonitorCache()
    for number in range(20):
        lines = [f"{stamp(NOW - timedelta(days=d + 1, minutes=number))} 60" for d in range(10)]
        cache.upsert(monitor(f"m{number}", {"incidents": lines[::-1]}))
    found = parse(cache)
    assert len(found.entries) == MAX_ENTRIES
    assert found.entries[-1].updated >= stamp(NOW - timedelta(days=6))


def test_a_feed_without_incidents_is_valid() -> None:
    found = parse(MonitorCache())
    assert found.entries == []
    assert found.feed.title == "Incidents of synthetic monitors"


def test_incidents_older_than_thirty_days_are_left_out() -> None:
    assert parse(cached(f"{stamp(NOW - timedelta(days=31))} 60")).entries == []
    assert len(parse(cached(f"{stamp(NOW - timedelta(days=31))} {2 * 86400}")).entries) == 1
