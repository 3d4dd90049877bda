"""The last failures in a monitor's status: what has failed, without what must not be seen."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from synthetic.operator.failures import explain
from synthetic.operator.status import MAX_STATUS_BYTES
from synthetic.probe.credentials import Credentials
from synthetic.probe.masking import MASK
from synthetic.probe.replay import replay
from synthetic.probe.runner import RunOptions
from synthetic.probe.termination_log import MAX_MESSAGE_BYTES, format_message
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.mock_api import MockApi, call, run_mock_api, write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

API_KEY, INPUT, PIN = "key-4f7a1c", "input-9e2b", 731905
PERSON = {"name": "Ana Souza", "cpf": "111.444.777-35", "cep": 16900000, "mail": "ana@example.com"}
SIDES = {"condition": "$response.body#/n == 2", "left": "1", "right": "2"}
SCHEME = {"type": "apiKey", "in": "header", "name": "K"}


def message_of(folder: Path, step: dict[str, Any], schema: Any, body: object) -> dict[str, Any]:
    """Return the termination message of a run whose response has a body."""
    contract = {"openapi": "3.1.0", "components": {"securitySchemes": {"k": SCHEME}}}
    content = {"application/json": {"schema": schema}}
    operation = {
        "security": [{"k": []}],
        "parameters": [{"name": "q", "in": "query"}],
        "responses": {"200": {"content": content}},
    }
    step["parameters"] = [{"name": "q", "in": "query", "value": "$inputs.word"}]
    file = write_call(folder, operation, step, contract=contract, inputs={"word": {}})
    api = MockApi(headers=[("Content-Type", "application/json")], body=json.dumps(body).encode())
    with run_mock_api(api):
        run = replay(
            "calls",
            api.url,
            Credentials({"api-key": API_KEY}),
            LONG_LIMITS,
            file=file,
            options=RunOptions({"word": INPUT}),
        )
    found: dict[str, Any] = json.loads(format_message(run))
    return found


async def failures_of(harness: OperatorHarness, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the failures in the status after a failed run for each message."""
    harness.add_monitor()
    for number, message in enumerate(messages):
        harness.finish_run(f"job-{number}", message, ended="Failed", minute=number)
        await harness.reconcile()
    found: list[dict[str, Any]] = harness.status.get("failures", [])
    return found


async def test_the_problem_of_a_run_that_cannot_start_is_in_the_status(
    harness: OperatorHarness,
) -> None:
    problem = "the input isbn is missing"
    evidence = {"problem": problem}
    message = termination_message("error", reason="runner", detail=problem, evidence=evidence)
    harness.add_monitor()
    harness.finish_run("job-0", message, ended="Failed", code=2)
    await harness.reconcile()
    (failure,) = harness.status["failures"]
    assert (failure["result"], failure["reason"]) == ("error", "runner")
    assert explain(failure) == problem


async def test_a_killed_run_keeps_no_evidence_of_the_attempt_before(
    harness: OperatorHarness,
) -> None:
    message = termination_message("failed", reason="assertion", evidence=SIDES)
    harness.add_monitor()
    harness.finish_run("job-0", message, ended="Failed", code=137)
    await harness.reconcile()
    (failure,) = harness.status["failures"]
    assert (failure["result"], failure["detail"]) == ("error", "ExitCode137")
    assert "evidence" not in failure


async def test_a_failed_criterion_is_in_the_status_with_both_sides(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    step = {"successCriteria": [{"condition": "$statusCode == 200 && $response.body#/n == 2"}]}
    message = message_of(tmp_path, step, {}, {"n": 1})
    (failure,) = await failures_of(harness, message)
    assert failure == {
        "finishedAt": "2026-01-31T09:00:05Z",
        "result": "failed",
        "job": "job-0",
        "step": "call",
        "reason": "assertion",
        "httpStatus": 200,
        "evidence": SIDES,
        "traceId": message["traceId"],
    }


async def test_a_condition_of_several_lines_is_one_line_in_the_status(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    condition = "$response.body#/n\n  == 2 && ( $statusCode == 200\n && true )"
    message = message_of(tmp_path, {"successCriteria": [{"condition": condition}]}, {}, {"n": 1})
    (failure,) = await failures_of(harness, message)
    assert failure["evidence"] == SIDES
    criterion = {"context": "$response.body", "type": "regex", "condition": "a\n  b"}
    message = message_of(tmp_path, {"successCriteria": [criterion]}, {}, {"n": 1})
    harness.finish_run("job-9", message, ended="Failed", minute=9)
    await harness.reconcile()
    assert harness.status["failures"][0]["evidence"]["condition"] == "$response.body regex a b"


@pytest.mark.parametrize(
    ("condition", "left", "right"),
    [
        ("$response.body#/name == 'Rui'", "text of 9 characters", '"Rui"'),
        ("$response.body#/name == $inputs.word", "text of 9 characters", "text of 10 characters"),
        ("$response.body#/cep == 1", "number of 8 digits", "1"),
        ("$response.body#/echo == 'x'", "text of 5 characters", '"x"'),
        ("$response.body#/pin == 1", "***", "1"),
        ("$response.body == 'x'", "object", '"x"'),
        ("$response.body#/all == null", "array of 2 elements", "null"),
        ("$response.body#/lost == true", "undefined", "true"),
    ],
    ids=["text", "input", "number", "credential", "pin", "object", "array", "undefined"],
)
async def test_values_of_responses_and_inputs_are_not_in_the_status(
    harness: OperatorHarness, tmp_path: Path, condition: str, left: str, right: str
) -> None:
    MASK.add(str(PIN))  # as the value of an input from a Secret
    body = {**PERSON, "pin": PIN, "echo": f"<{API_KEY}>", "all": [API_KEY, INPUT]}
    message = message_of(tmp_path, {"successCriteria": [{"condition": condition}]}, {}, body)
    (failure,) = await failures_of(harness, message)
    assert failure["evidence"] == {"condition": condition, "left": left, "right": right}
    assert_is_public(harness)


@pytest.mark.parametrize(
    ("kind", "condition", "selected"),
    [
        ("regex", "^{$inputs.word}$", {}),
        ("jsonpath", "$[?@ == 1]", {"selected": "array of 0 elements"}),
    ],
    ids=["regex", "jsonpath"],
)
async def test_a_failed_query_shows_the_size_of_its_context(
    harness: OperatorHarness, tmp_path: Path, kind: str, condition: str, selected: dict[str, str]
) -> None:
    criterion = {"context": "$response.body", "type": kind, "condition": condition}
    message = message_of(tmp_path, {"successCriteria": [criterion]}, {}, PERSON)
    (failure,) = await failures_of(harness, message)
    value = {"condition": f"$response.body {kind} {condition}", "value": "object of 4 elements"}
    assert failure["evidence"] == {**value, **selected}
    assert_is_public(harness)


@pytest.mark.parametrize(
    ("schema", "body", "evidence"),
    [
        (
            {"properties": {"cpf": {"maxLength": 3}}},
            PERSON,
            {"pointer": "/cpf", "keyword": "maxLength"},
        ),
        (
            {"additionalProperties": {"items": {"type": "integer"}}},
            {PERSON["mail"]: [1, PERSON["name"]]},
            {"pointer": "/*/1", "keyword": "type"},
        ),
        (
            {"additionalProperties": False},
            {PERSON["mail"]: API_KEY},
            {"keyword": "additionalProperties"},
        ),
    ],
    ids=["declared", "map", "unexpected"],
)
async def test_a_violation_has_its_pointer_and_keyword_and_no_name_or_value_of_the_body(
    harness: OperatorHarness, tmp_path: Path, schema: Any, body: object, evidence: dict[str, str]
) -> None:
    (failure,) = await failures_of(harness, message_of(tmp_path, {}, schema, body))
    assert failure["reason"] == "schema"
    place = failure["evidence"].pop("schema")
    assert place.startswith("api.yaml#/paths/")
    assert place.endswith(evidence["keyword"])
    assert failure["evidence"] == evidence
    assert_is_public(harness)


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({"201": {"description": "d"}}, "the contract does not declare the status 200"),
        ({"200": {"headers": {"X-V": {"required": True}}}}, "the header X-V is missing"),
        ({"200": {"content": {"text/plain": {}}}}, "200 came as application/json"),
        ({"200": {"description": "d"}}, "200 has a body, and the contract declares none"),
    ],
    ids=["status", "header", "media-type", "body"],
)
async def test_a_problem_without_values_is_in_the_status(
    harness: OperatorHarness, tmp_path: Path, responses: dict[str, Any], problem: str
) -> None:
    file = write_call(tmp_path, {"responses": responses})
    json_type = ("Content-Type", "application/json")
    run, _ = call(file, MockApi(headers=[json_type], body=json.dumps(PERSON).encode()))
    (failure,) = await failures_of(harness, json.loads(format_message(run)))
    assert (failure["reason"], failure["evidence"]) == ("schema", {"problem": problem})


def assert_is_public(harness: OperatorHarness) -> None:
    """Fail if the status contains a secret or personal data."""
    status = json.dumps(harness.status)
    secrets = (API_KEY, INPUT, str(PIN), *map(str, PERSON.values()))
    assert [secret for secret in secrets if secret in status] == []


async def test_the_network_s_report_is_in_the_status(harness: OperatorHarness) -> None:
    detail = "the certificate is not trusted: certificate has expired"
    reports = [termination_message("failed", reason=r, detail=detail) for r in ("tls", "schema")]
    schema, tls = await failures_of(harness, *reports)
    assert (tls["detail"], "detail" in schema) == (detail, False)  # that of others has values


async def test_the_newest_five_failures_stay(harness: OperatorHarness) -> None:
    messages = [termination_message("failed", reason="dns") for _ in range(7)]
    found = await failures_of(harness, *messages)
    harness.finish_run("passed", termination_message("passed"), minute=20)
    await harness.reconcile()
    assert [each["job"] for each in found] == [f"job-{n}" for n in (6, 5, 4, 3, 2)]
    assert harness.status["failures"] == found


async def test_a_monitor_that_always_fails_keeps_its_runs_within_8_kib(
    harness: OperatorHarness,
) -> None:
    step, evidence = "s" * 64, dict.fromkeys(("condition", "left", "right"), "é" * 200)
    long = {"step": step, "reason": "assertion", "evidence": evidence}
    harness.add_monitor(history={"success": 1, "failed": 1})
    for minute in range(95):
        text = termination_message("failed", **long)
        harness.finish_run(f"job-{minute}", text, ended="Failed", minute=minute)
    for _ in range(2):  # the first one deletes most Jobs
        await harness.reconcile()
    assert len(orjson.dumps(harness.status)) <= MAX_STATUS_BYTES
    assert len(harness.status["runs"]) > 60  # those of the last hour at one run a minute
    assert harness.status["failures"][0]["job"] == "job-94"
    before = len(harness.cluster.writes)
    await harness.reconcile()
    assert len(harness.cluster.writes) == before


@pytest.mark.parametrize(
    "evidence",
    [[], "x", {"left": {}}, {"left": 1}, {"left": "a\nb"}, {"other": "x"}, {"left": "\u2028"}],
    ids=["list", "text", "object", "number", "line", "unknown", "separator"],
)
async def test_evidence_that_no_probe_writes_is_ignored(
    harness: OperatorHarness, evidence: object
) -> None:
    message = termination_message("failed", reason="dns", evidence=evidence, detail=[1])
    (failure,) = await failures_of(harness, message)
    assert not {"evidence", "detail"} & failure.keys()


def test_the_message_of_a_failure_is_bounded(tmp_path: Path) -> None:
    condition = f"$response.body#/{'é' * 900} == '{'é' * 900}'"
    message = message_of(tmp_path, {"successCriteria": [{"condition": condition}]}, {}, {"n": 1})
    assert set(message["evidence"]) == {"condition", "left", "right"}
    assert len(json.dumps(message)) <= MAX_MESSAGE_BYTES
