"""The operator's monitors as JSON and as badges, validated against their OpenAPI description."""

import asyncio
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jsonschema_rs
import pytest

from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
RUNS = [f"2026-01-31T10:0{minute}:00Z passed 80" for minute in range(5)]
LAST = {
    "job": "shop-29",
    "result": "failed",
    "step": "createClient",
    "reason": "http_status",
    "httpStatus": 503,
    "attempt": 2,
    "durationMs": 812,
    "traceId": "ab" * 16,
    "detail": 'createClient http_status 503 <a href="x">',
    "startedAt": "2026-01-31T10:05:00Z",
    "finishedAt": "2026-01-31T10:05:01Z",
}
STATUS: dict[str, Any] = {
    "conditions": [
        {
            "type": "Healthy",
            "status": "False",
            "reason": "Failing",
            "message": "1 of 1",
            "lastTransitionTime": "2026-01-31T10:05:01Z",
        },
        {"type": "Ready", "status": "True", "reason": "Scheduled", "message": "m"},
    ],
    "schedule": "every 5m",
    "target": "http://shop.example",
    "totals": {"passed": 5, "failed": 1, "error": 0, "disrupted": 0, "passedAfterRetry": 2},
    "slo": {"objective": "99.5%", "window": "30d", "budgetRemaining": "-12.50%", "failed": 1},
    "runs": [*RUNS, "2026-01-31T10:05:00Z failed 812 createClient http_status 503"],
    "lastRun": LAST,
    "certificateExpiry": "2026-03-01T00:00:00Z",
    "incidents": [
        "2025-12-31T10:05:00Z 60 long ago",
        f"{YESTERDAY:%Y-%m-%dT%H:%M:%SZ} 1500 createClient http_status 503",
        f"{YESTERDAY + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ} -",
    ],
    "failures": [
        {
            "finishedAt": "2026-01-31T10:05:01Z",
            "result": "failed",
            "job": "shop-29",
            "step": "createClient",
            "reason": "assertion",
            "httpStatus": 200,
            "evidence": {"condition": "$statusCode == 201", "left": "200", "right": "201"},
            "traceId": "ab" * 16,
        },
        {"finishedAt": "2026-01-31T10:00:01Z", "result": "error", "job": "a", "detail": "NoPod"},
    ],
}


class Health:
    """An operator that works."""

    alive = ready = True


@pytest.fixture
def cache() -> MonitorCache:
    """Return a cache with a failing, a new and a paused monitor."""
    made = MonitorCache()
    made.upsert(monitor("shop", STATUS, group="Check & out"))
    made.upsert(monitor("new"))
    paused = monitor("paused", suspend=True)
    paused["metadata"]["namespace"] = "there"
    made.upsert(paused)
    return made


def get(cache: MonitorCache, path: str) -> tuple[int, str, str]:
    """Return status, media type and text of a response."""

    async def fetch() -> tuple[int, str, str]:
        async with serve(0, cache, Health()) as port, aiohttp.ClientSession() as session:
            response = await session.get(f"http://127.0.0.1:{port}{path}")
            return response.status, response.content_type, await response.text()

    return asyncio.run(fetch())


def get_valid(cache: MonitorCache, path: str, operation: str) -> Any:
    """Return the JSON of a response that has the declared media type and matches its schema."""
    status, media_type, text = get(cache, path)
    contract = json.loads(get(cache, "/api/v1/openapi.json")[2])
    response = contract["paths"][operation]["get"]["responses"][str(status)]
    reference = response.get("$ref", "").rpartition("/")[2]
    response = contract["components"]["responses"][reference] if reference else response
    schema = {**response["content"][media_type]["schema"], "components": contract["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(text))
    return json.loads(text)


ALL, ONE = "/api/v1/monitors", "/api/v1/monitors/{namespace}/{name}"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["new", "shop", "paused"]),
        ("?namespace=here", ["new", "shop"]),
        ("?state=down", ["shop"]),
        ("?state=paused&namespace=here", []),
        ("?namespace=nowhere", []),
        ("?group=Check+%26+out", ["shop"]),
        ("?group=", ["new", "paused"]),
    ],
)
def test_monitors_are_listed_and_filtered(
    cache: MonitorCache, query: str, names: list[str]
) -> None:
    found = get_valid(cache, f"{ALL}{query}", ALL)["monitors"]
    assert [each["name"] for each in found] == names


def test_a_monitor_has_its_state_ratios_and_runs(cache: MonitorCache) -> None:
    found = get_valid(cache, f"{ALL}/here/shop", ONE)
    assert found["state"] == "down"
    assert found["slo"] == {"objective": 0.995, "window": "30d", "budgetRemaining": -0.125}
    assert found["conditions"]["healthy"]["since"] == "2026-01-31T10:05:01Z"
    assert found["lastRun"]["detail"] == LAST["detail"]
    assert [run["result"] for run in found["runs"]] == ["passed"] * 5 + ["failed"]
    assert found["totals"]["passedAfterRetry"] == 2
    assert found["certificateExpiry"] == "2026-03-01T00:00:00Z"


def test_a_monitor_has_its_last_failures(cache: MonitorCache) -> None:
    first, second = get_valid(cache, f"{ALL}/here/shop", ONE)["failures"]
    assert first["evidence"]["left"] == "200"
    assert first["explanation"] == "$statusCode == 201 (left 200, right 201)"
    assert (second["explanation"], second["step"], second["evidence"]) == ("NoPod", None, None)


def test_a_monitor_has_its_group_and_the_incidents_of_thirty_days(cache: MonitorCache) -> None:
    found = get_valid(cache, f"{ALL}/here/shop", ONE)
    assert found["group"] == "Check & out"
    ongoing, ended = found["incidents"]
    assert (ongoing["end"], ongoing["reason"]) == (None, None)
    assert ongoing["durationSeconds"] >= timedelta(hours=23).total_seconds() - 1
    assert ended["start"] == f"{YESTERDAY:%Y-%m-%dT%H:%M:%SZ}"
    assert ended["end"] == f"{YESTERDAY + timedelta(seconds=1500):%Y-%m-%dT%H:%M:%SZ}"
    assert (ended["durationSeconds"], ended["reason"]) == (1500, "createClient http_status 503")


def test_a_monitor_in_maintenance_tells_why_until_when_and_which_runs_do_not_count() -> None:
    shown = {"reason": "Upgrade", "until": "2026-01-31T12:00:00Z", "runs": "Pause"}
    status = {
        **STATUS,
        "maintenance": shown,
        "totals": {**STATUS["totals"], "maintenance": 1},
        "runs": [*RUNS, "2026-01-31T10:05:00Z failed/maintenance 812"],
        "lastRun": {**LAST, "maintenance": "Upgrade"},
    }
    made = MonitorCache()
    made.upsert(monitor("shop", status))
    found = get_valid(made, f"{ALL}/here/shop", ONE)
    assert (found["state"], found["maintenance"]) == ("maintenance", shown)
    assert [run["inMaintenance"] for run in found["runs"]] == [False] * 5 + [True]
    assert found["runs"][-1]["result"] == found["lastRun"]["result"] == "failed"
    assert found["lastRun"]["maintenance"] == "Upgrade"
    assert found["totals"]["maintenance"] == 1
    assert [each["name"] for each in get_valid(made, f"{ALL}?state=maintenance", ALL)["monitors"]]
    assert "shop: maintenance" in get(made, "/badge/here/shop.svg")[2]


def test_a_monitor_without_runs_has_nulls(cache: MonitorCache) -> None:
    found = get_valid(cache, f"{ALL}/here/new", ONE)
    assert (found["lastRun"], found["runs"]) == (None, [])
    assert set(found["uptime"].values()) == {None}


@pytest.mark.parametrize(
    ("path", "operation", "detail"),
    [
        (
            f"{ALL}?state=broken",
            ALL,
            "state is one of down, unknown, degraded, up, maintenance, paused",
        ),
        (f"{ALL}/here/nothing", ONE, "there is no monitor 'nothing' in 'here'"),
        ("/badge/here/nothing.svg", "/badge/{namespace}/{name}.svg", "no monitor 'nothing'"),
    ],
)
def test_an_error_is_a_problem_with_the_cause(
    cache: MonitorCache, path: str, operation: str, detail: str
) -> None:
    assert detail in get_valid(cache, path, operation)["detail"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("here/shop", "shop: down"),
        ("here/new", "new: unknown"),
        ("there/paused", "paused: paused"),
    ],
)
def test_a_badge_has_the_state_as_text(cache: MonitorCache, path: str, text: str) -> None:
    status, media_type, image = get(cache, f"/badge/{path}.svg")
    assert (status, media_type) == (200, "image/svg+xml")
    root = ET.fromstring(image)  # noqa: S314 - of the operator
    assert root.get("aria-label", "").startswith(text)
    assert "".join(root.itertext()).startswith(text)
