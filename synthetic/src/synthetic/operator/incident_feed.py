"""Incidents of all monitors as an Atom feed (RFC 4287).

An entry is an incident: published at its start, and updated at its end. Links are relative to the
feed, so they are right behind a proxy that removes a prefix.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from synthetic.operator.incident_list import MonitorIncident, collect, words
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

PATH, MEDIA_TYPE = "feed.atom", "application/atom+xml"
TITLE = "Incidents of synthetic monitors"
MAX_ENTRIES = 100
NAMESPACE = "http://www.w3.org/2005/Atom"
NO_ENTRY = datetime(1970, 1, 1, tzinfo=UTC)  # the time of a feed that has never changed
ID_PREFIX = "https://monitoring.cadastro.dev/"
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(views: Iterable[MonitorView], operator: str, now: datetime) -> bytes:
    """Return the feed of an operator, which ``operator`` identifies in the cluster."""
    found = collect(views, now)
    found.sort(key=lambda each: each.incident.updated, reverse=True)
    feed = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en"})
    updated = max((each.incident.updated for each in found), default=NO_ENTRY)
    _add(feed, "id", _id("operator", operator))
    _add(feed, "title", TITLE)
    _add(feed, "updated", _time(updated))
    _add(ET.SubElement(feed, "author"), "name", "Synthetic monitors")
    ET.SubElement(feed, "link", {"rel": "self", "type": MEDIA_TYPE, "href": PATH})
    _add_page(feed)
    for each in found[:MAX_ENTRIES]:
        _add_entry(feed, each, now)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _add_entry(feed: ET.Element, found: MonitorIncident, now: datetime) -> None:
    view, incident = found.view, found.incident
    entry = ET.SubElement(feed, "entry")
    name, start = f"{view.namespace}/{view.name}", _time(incident.start)
    lasted = f"failed for {words(incident.duration(now))}" if incident.end else "is failing"
    end = f"It recovered at {_time(incident.end)}." if incident.end else "It has not recovered yet."
    reason = f" ({incident.reason})" if incident.reason else ""
    _add(entry, "id", _id("incident", view.uid, name, start))
    _add(entry, "title", f"{name} {lasted}")
    _add(entry, "published", start)
    _add(entry, "updated", _time(incident.updated))
    _add(entry, "content", f"{name} became unhealthy at {start}{reason}. {end}")
    if view.spec.group:
        ET.SubElement(entry, "category", {"term": _text(view.spec.group)})
    _add_page(entry)


def _add_page(parent: ET.Element) -> None:
    ET.SubElement(parent, "link", {"rel": "alternate", "type": "text/html", "href": "./"})


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _text(text)


def _text(text: str) -> str:
    """Return a text without the characters that XML cannot contain."""
    return NOT_IN_XML.sub("\ufffd", text)


def _id(*parts: str) -> str:
    """Return a permanent identifier (RFC 9562, version 5)."""
    return uuid5(NAMESPACE_URL, ID_PREFIX + "/".join(parts)).urn


def _time(moment: datetime) -> str:
    return moment.strftime(TIMESTAMP_FORMAT)
