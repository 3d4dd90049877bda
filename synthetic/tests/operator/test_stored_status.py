"""Stored statuses that another client has written: what is unreadable counts as empty."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import yaml

from synthetic.operator import status_page
from synthetic.operator.conditions import Condition
from synthetic.operator.exposition import exposition
from synthetic.operator.history import History
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.observation import Observation
from synthetic.operator.resources import MONITORS
from synthetic.operator.run_result import PASSED, Run
from synthetic.operator.spec import Spec
from synthetic.operator.status import build_status
from synthetic.operator.status_schema import STATUS
from synthetic.operator.stored_status import read_status
from tests.operator.status_fuzzer import random_value
from tests.support.commands import ROOT
from tests.support.synthetic.kubernetes_objects import monitor, termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

NOW = datetime(2026, 2, 1, 10, 0, tzinfo=UTC)
CRD = yaml.safe_load((ROOT / "charts" / "synthetic" / "files" / "crd.yaml").read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
NOT_IN_CODE = {"description", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"}


def without_bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with types alone, like the one of an older release."""
    bounds = ("pattern", "maxLength", "minimum", "maximum", "required")
    kept = {key: value for key, value in schema.items() if key not in bounds}
    if "properties" in kept:
        kept["properties"] = {k: without_bounds(v) for k, v in kept["properties"].items()}
    if "items" in kept:
        is_condition = "x-kubernetes-list-type" in kept
        kept["items"] = kept["items"] if is_condition else without_bounds(kept["items"])
    return kept


def plain(schema: Any) -> Any:
    """Return a schema of the CRD in the terms of the code."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: plain(value) for key, value in schema.items() if key not in NOT_IN_CODE}
    if kept.get("format") == "int64":
        del kept["format"]
    return kept


def test_the_schema_of_the_definition_is_the_one_of_the_code() -> None:
    assert plain(SCHEMA) == plain(STATUS)


@pytest.mark.parametrize(
    ("schema", "count", "locations"),
    [(SCHEMA, 1000, ()), (SCHEMA, 200, ("x", "passed")), (without_bounds(SCHEMA), 200, ())],
    ids=["this-schema", "locations", "an-earlier-schema"],
)
def test_a_thousand_statuses_that_the_schema_admits_affect_nothing_else(
    schema: dict[str, Any], count: int, locations: tuple[str, ...]
) -> None:
    spec = {"locations": [{"name": name} for name in locations]} if locations else {}
    rng = random.Random(7)  # noqa: S311 - the same statuses each time
    cache = MonitorCache()
    for number in range(count):
        stored = monitor(f"m{number}", status=random_value(schema, rng), **spec)
        status, _ = read_status(stored, NOW)
        assert read_status({"status": status}, NOW) == (status, [])
        cache.upsert({**stored, "status": status})
        written = next_status({**stored, "status": status})
        assert read_status({"status": written}, NOW) == (written, [])
    assert len(cache) == count
    assert status_page.render(cache, NOW).count("<article") == count
    passed = b"".join(exposition(cache, NOW)).count(b'result="passed"')
    assert passed == count * (1 + len(locations))


def next_status(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the status after one more run."""
    spec = Spec.from_monitor(stored)
    places = [each.name for each in spec.locations]
    run = Run("uid", "job", PASSED, NOW, NOW, 812, attempt=2, location="".join(places[:1]))
    ready = Condition("Ready", "True", "Scheduled", "")
    observed = Observation(ready=ready, schedule=spec.schedule, last=run)
    observed = replace(observed, locations=dict.fromkeys(places, observed))
    history = History.read(stored["status"]).located(places, spec.quorum).count([run], ["uid"])
    return build_status(stored, spec, history, observed, NOW)


@pytest.mark.parametrize(
    ("status", "path"),
    [
        ({"runs": ["nonsense"]}, "status.runs[0]"),
        ({"runs": ["2026-01-31T10:00:00Z passed x"]}, "status.runs[0]"),
        ({"lastRun": {"job": "x"}}, "status.lastRun"),
        ({"totals": {"passed": 2**63 - 1}}, "status.totals.passed"),
        ({"totals": {"passed": True}}, "status.totals.passed"),
        ({"lastSuccessTime": "9999-12-31T23:59:59Z"}, "status.lastSuccessTime"),
        ({"lastSuccessTime": "2026-02-31T10:00:00Z"}, "status.lastSuccessTime"),
        ({"windows": {"hours": ["2099-01-01T00 1 2 3"]}}, "status.windows.hours[0]"),
        ({"windows": {"days": ["yesterday"]}}, "status.windows.days[0]"),
        ({"incidents": ["2026-02-31T10:00:00Z 1500 x"]}, "status.incidents[0]"),
        ({"incidents": ["2026-01-31T10:00:00Z long"]}, "status.incidents[0]"),
        ({"maintenance": {"reason": "x", "until": "soon", "runs": "Pause"}}, "status.maintenance"),
        ({"conditions": [{"type": "Healthy"}]}, "status.conditions[0]"),
        ({"handled": []}, "status.handled"),
        ([], "status"),
    ],
)
def test_names_the_unreadable_parts_of_a_status(status: Any, path: str) -> None:
    _, unreadable = read_status({"status": status or ["x"]}, NOW)
    assert path in unreadable


@pytest.mark.anyio
@pytest.mark.parametrize(
    "status",
    [
        {"runs": ["nonsense"]},
        {"lastRun": {"job": "x"}},
        {"totals": {"passed": 2**63 - 1}},
        {"lastRun": {"job": "x", "result": "passed", "finishedAt": "9999-12-31T23:59:59Z"}},
        {"conditions": [{"type": "Suspended", "status": "False", "lastTransitionTime": "never"}]},
    ],
)
async def test_an_unreadable_status_is_replaced_and_an_event(
    harness: OperatorHarness, status: dict[str, Any]
) -> None:
    harness.add_monitor()
    harness.change(MONITORS, {**harness.monitor, "status": status}, "status")
    harness.finish_run("job-1", termination_message("passed"))
    for _ in range(2):
        await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    assert harness.healthy() == ("True", "Passing")
    assert harness.events().count("StatusUnreadable") == 1
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.anyio
async def test_a_spec_of_an_earlier_schema_is_a_condition(harness: OperatorHarness) -> None:
    harness.add_monitor(interval="3m")
    shown = {"reason": "Upgrade", "until": "2026-01-31T23:00:00Z", "runs": "Continue"}
    harness.change(MONITORS, {**harness.monitor, "status": {"maintenance": shown}}, "status")
    await harness.reconcile()
    assert harness.ready() == ("False", "SpecUnreadable")
    assert harness.healthy() == ("Unknown", "NotReady")
    assert [view.state for view in harness.cache] == ["unknown"]
    harness.update_spec(interval="5m")
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.anyio
async def test_a_long_request_annotation_is_handled_once(harness: OperatorHarness) -> None:
    harness.add_monitor(concurrencyPolicy="Allow")
    harness.request_run("x" * 100_000)
    for _ in range(2):
        await harness.reconcile()
    assert len(harness.cluster.list_kind("jobs")) == 1
    assert len(orjson.dumps(harness.status)) < 8192
    assert re.fullmatch("x{200}", harness.status["handled"]["runRequestedAt"])
