"""What outputs show of a failed check: both sides, the place in the body and in the contract."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from synthetic.probe.exchanges import ExchangeLog
from synthetic.probe.har import format_har
from synthetic.probe.http import Request, Response
from synthetic.probe.json_output import format_json
from synthetic.probe.junit import format_junit
from synthetic.probe.masking import MASK
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult, StepResult, Timings
from synthetic.probe.table import format_table
from synthetic.probe.termination_log import MAX_MESSAGE_BYTES, format_message
from tests.support.synthetic.mock_api import MockApi, call, run_mock_api, write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS, MockShop, replay_journey, respond
from tests.support.synthetic.scripted_api import (
    LIMITS,
    Reply,
    expect,
    run_scripted_api,
    step,
    workflow,
    write_arazzo,
)

JSON = ("Content-Type", "application/json")
BODY = {"id": 7, "name": "Ana", "items": [{"n": 1}], "password": "hunter2", "long": "x" * 500}


def failed_step(folder: Path, criterion: Any, body: Any = BODY, **members: Any) -> StepResult:
    """Return the step of a call whose criterion is not met."""
    criterion = {"condition": criterion} if isinstance(criterion, str) else criterion
    file = write_call(folder, {}, {"successCriteria": [criterion], **members})
    contract = file.with_name("api.yaml")
    contract.write_text(contract.read_text().replace("description: d", "content: {'*/*': {}}"))
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    header = ("Content-Type", "application/xml") if isinstance(body, str) else JSON
    run, _ = call(file, MockApi(headers=[header], body=data))
    assert run.reason == "assertion", run.detail
    return run.steps[0]


@pytest.mark.parametrize(
    ("condition", "evidence"),
    [
        (
            "$response.body#/id == 8",
            [{"condition": "$response.body#/id == 8", "left": "7", "right": "8"}],
        ),
        (
            "'7.5' < $response.body#/id",
            [{"condition": "'7.5' < $response.body#/id", "left": '"7.5"', "right": "7"}],
        ),
        (
            "$statusCode == 200 && ($response.body#/id > 9 || $response.body#/lost == null)",
            [
                {"condition": "$response.body#/id > 9", "left": "7", "right": "9"},
                {"condition": "$response.body#/lost == null", "left": "undefined", "right": "null"},
            ],
        ),
        (
            "!($response.body#/id == 7 && $response.body#/name == 'ana')",
            [
                {"condition": "$response.body#/id == 7", "left": "7", "right": "7"},
                {"condition": "$response.body#/name == 'ana'", "left": '"Ana"', "right": '"ana"'},
            ],
        ),
        ("$response.body#/lost", [{"condition": "$response.body#/lost", "value": "undefined"}]),
        (
            "!$response.body.items[0]",
            [{"condition": "$response.body.items[0]", "value": '{"n": 1}'}],
        ),
        ("false", [{"condition": "false", "value": "false"}]),
    ],
    ids=["equal", "ordering", "nested", "negated", "undefined", "truth", "literal"],
)
def test_an_unmet_condition_shows_both_sides_of_the_comparisons_that_fail(
    tmp_path: Path, condition: str, evidence: list[dict[str, str]]
) -> None:
    result = failed_step(tmp_path, condition)
    assert result.to_dict()["evidence"] == evidence
    assert condition in result.detail
    for each in evidence:
        for name, value in each.items():
            assert value in result.detail
            assert name == "condition" or f"{name} {value}" in result.detail


@pytest.mark.parametrize(
    ("kind", "context", "condition", "shown"),
    [
        ("regex", "$response.body#/name", "^B", {"value": '"Ana"', "pattern": "^B"}),
        ("regex", "$response.body#/lost", "^B", {"value": "undefined", "pattern": "^B"}),
        ("regex", "$response.body#/name", "^{$statusCode}", {"pattern": "^200"}),
        ("regex", "$response.body#/name", "({$statusCode}", {"problem": "(200 is not a regular"}),
        (
            "jsonpath",
            "$response.body#/items",
            "$[?@.n > 1]",
            {"value": '[{"n": 1}]', "query": "$[?@.n > 1]", "selected": "[]"},
        ),
    ],
    ids=["regex", "undefined", "embedded", "invalid", "jsonpath"],
)
def test_an_unmet_query_shows_its_context_and_what_it_selects(
    tmp_path: Path, kind: str, context: str, condition: str, shown: dict[str, str]
) -> None:
    criterion = {"context": context, "condition": condition, "type": kind}
    (evidence,) = failed_step(tmp_path, criterion).evidence
    assert {name: evidence[name][: len(value)] for name, value in shown.items()} == shown


@pytest.mark.parametrize(
    ("body", "condition", "shown"),
    [
        ("<a><b>1</b></a>", "/a/b = 2", {"selected": "[false]", "value": '"<a><b>1</b></a>"'}),
        ("<a><b>1</b></a>", "/a/c", {"selected": "[]"}),
        ("no xml", "/a", {"problem": "the value is not XML"}),
    ],
    ids=["false", "nothing", "no-xml"],
)
def test_an_unmet_xpath_shows_the_text_and_what_it_selects(
    tmp_path: Path, body: str, condition: str, shown: dict[str, str]
) -> None:
    criterion = {"context": "$response.body", "condition": condition, "type": "xpath"}
    (evidence,) = failed_step(tmp_path, criterion, body).evidence
    assert {name: evidence[name][: len(value)] for name, value in shown.items()} == shown


def test_values_are_bounded_and_secrets_masked(tmp_path: Path) -> None:
    MASK.add("known-secret")
    long = failed_step(tmp_path, "$response.body#/long == 'x'")
    assert long.evidence[0]["left"] == '"' + "x" * 199 + "..."
    for condition in ("$response.body#/password == 'a'", "$response.body == 'a'"):
        result = failed_step(tmp_path, condition)
        assert "***" in result.evidence[0]["left"]
        assert "hunter2" not in result.detail
    text = failed_step(tmp_path, "$response.body#/id == 'b'", {"id": "a known-secret"})
    assert text.evidence[0]["left"] == '"a ***"'
    url = failed_step(tmp_path, "$response.body#/next == 'b'", {"next": "https://a.b/?token=abc"})
    assert url.evidence[0]["left"] == '"https://a.b/?token=***"'
    control = failed_step(tmp_path, "$response.body#/id == 'b'", {"id": "\x9b31m"})
    assert control.evidence[0]["left"] == '"\\u009b31m"'


def test_a_schema_failure_shows_the_place_in_the_body_and_in_the_contract(
    shop: MockShop, journey: Path
) -> None:
    document = {"id": "1", "name": "x"}
    shop.faults["GET /things"] = lambda h: respond(h, 200, document, {"X-Version": "1"})
    run = replay_journey(shop.url, journey)
    place = "parts.yaml#/Thing/properties/id/type"
    assert run.detail == (
        f'the body of 200 at /id: the value is not of type "integer" (schema {place})'
    )
    (evidence,) = next(each for each in run.steps if each.reason).evidence
    assert (evidence["pointer"], evidence["schema"]) == ("/id", place)


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "place"),
    [
        ({"items": {"$ref": "#/components/schemas/N"}}, [1, "a"], "/1", "/schemas/N/type"),
        ({"properties": {"a/b~": {"enum": [1]}}}, {"a/b~": 2}, "/a~1b~0", "/a~1b~0/enum"),
        ({"properties": {"n": {"format": "int32"}}}, {"n": 2**40}, "/n", "/properties/n"),
        ({"allOf": [{}, {"$ref": "#/components/schemas/N"}]}, "a", "", "/schemas/N/type"),
        ({"additionalProperties": False}, {"x": 1}, "", "/schema/additionalProperties"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "", "/dependentRequired"),
    ],
    ids=["ref", "escaped", "format", "all-of", "additional", "dependent"],
)  # fmt: skip
def test_the_place_in_the_contract_is_the_violated_keyword(
    tmp_path: Path, schema: Any, value: Any, pointer: str, place: str
) -> None:
    contract = {"openapi": "3.1.0", "components": {"schemas": {"N": {"type": "integer"}}}}
    content = {"application/json": {"schema": schema}}
    file = write_call(tmp_path, {"responses": {"200": {"content": content}}}, contract=contract)
    run, _ = call(file, MockApi(headers=[JSON], body=json.dumps(value).encode()))
    (evidence,) = run.steps[0].evidence
    assert evidence["pointer"] == pointer
    assert evidence["schema"].startswith("api.yaml#/")
    assert evidence["schema"].endswith(place)


def test_all_outputs_show_the_evidence(tmp_path: Path) -> None:
    file = write_call(
        tmp_path, {}, {"successCriteria": [{"condition": "$response.header.x-v == 'b'"}]}
    )
    with run_mock_api(MockApi(headers=[("X-V", "a")])) as api:
        run = replay("calls", api.url, None, LONG_LIMITS, file=file)
    sides = 'left "a", right "b"'
    assert sides in run.detail
    assert sides in format_table(run)
    printed = json.loads(format_json([run]))["steps"][0]
    assert printed["evidence"][0]["left"] == '"a"'
    root = ET.fromstring(format_junit([run]))  # noqa: S314 - the command's own output
    assert [sides in str(each.get("message")) for each in root.iter("failure")] == [True]
    assert sides in json.loads(format_message(run))["detail"]


def test_the_archive_marks_the_last_exchange_of_a_failed_step() -> None:
    log, result = ExchangeLog(), StepResult("s", "op", 1, reason="assertion", detail="why")
    for number in (1, 2):
        response = Response(200, {}, str(number).encode())
        log.record(result, "http://a/", Request("GET", "/", {}), response, Timings())
    run = RunResult("j", "0" * 32)
    run.steps = [result]
    entries = json.loads(format_har(log.exchanges, [run]))["log"]["entries"]
    assert ["_failure" in entry for entry in entries] == [False, True]
    assert entries[1]["_failure"] == {"reason": "assertion", "detail": "why", "evidence": []}


def test_a_failure_in_a_called_workflow_keeps_its_evidence(tmp_path: Path) -> None:
    inner = workflow(
        step("a", successCriteria=expect("$response.body#/n == 2")), workflow_id="inner"
    )
    file = write_arazzo(tmp_path, workflow(step("call", workflowId="inner")), inner)
    with run_scripted_api() as api:
        api.replies["GET /a"] = [Reply(body={"n": 1})]
        run = replay("w", api.url, limits=LIMITS, file=file)
    assert run.step == "call"
    assert run.steps[-1].evidence[0]["left"] == "1"


def test_the_termination_message_bounds_a_long_detail() -> None:
    run = RunResult("j", "0" * 32, detail="é" * 5000)
    run.steps = [StepResult(f"step-{n}", "op", 1) for n in range(100)]
    text = format_message(run)
    assert len(text) <= MAX_MESSAGE_BYTES
    message = json.loads(text)
    assert message["detail"].endswith("...")
    assert message["steps"][-1][0] == "step-99"
