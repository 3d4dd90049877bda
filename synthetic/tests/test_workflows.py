"""Order of steps, actions, and workflows that call others, against a scripted server."""

import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.journey import Step
from synthetic.probe.results import ProbeError
from synthetic.probe.runner import Limits
from synthetic.probe.verify import verify
from tests.support.synthetic.scripted_api import (
    BAD,
    FAILED,
    GOOD,
    PASSED,
    Reply,
    ScriptedApi,
    expect,
    run_workflow,
    step,
    workflow,
    write_arazzo,
)

OK = expect("$statusCode == 200")
NOT_FOUND = expect("$statusCode == 404")


def goto(step_id: str, **members: Any) -> dict[str, Any]:
    """Return an action that goes to a step."""
    return {"name": f"to {step_id}", "type": "goto", "stepId": step_id, **members}


def retry(**members: Any) -> dict[str, Any]:
    """Return an action that retries at once."""
    return {"name": "again", "type": "retry", "retryAfter": 0, **members}


END = {"name": "end", "type": "end"}


def test_success_actions_go_to_a_step_and_end_the_workflow(
    api: ScriptedApi, tmp_path: Path
) -> None:
    steps = [
        step("a", onSuccess=[goto("c")]),
        step("b", successCriteria=NOT_FOUND),
        step("c", onSuccess=[{**END, "criteria": NOT_FOUND}, goto("e", criteria=OK)]),
        step("d", successCriteria=NOT_FOUND),
        step("e", onSuccess=[END]),
        step("f", successCriteria=NOT_FOUND),
    ]
    result = run_workflow(api, write_arazzo(tmp_path, workflow(*steps)))
    assert (result.result, api.calls) == (PASSED, ["GET /a", "GET /c", "GET /e"])


@pytest.mark.parametrize(
    ("actions", "result", "calls"),
    [
        ([], FAILED, ["a"]),
        ([END], FAILED, ["a"]),
        ([goto("c")], PASSED, ["a", "c"]),
        ([goto("b", criteria=OK), goto("c", criteria=NOT_FOUND)], FAILED, ["a"]),
        ([goto("b", criteria=OK), goto("c", criteria=expect("$statusCode == 503"))], PASSED, "ac"),
        ([retry(), goto("c")], PASSED, ["a", "a", "c"]),
        ([retry(retryLimit=0), goto("c")], PASSED, ["a", "c"]),
        ([retry(retryLimit=3), {**retry(retryLimit=1), "name": "more"}], FAILED, "aaaaa"),
        ([retry(criteria=NOT_FOUND), retry(name="any")], FAILED, ["a", "a"]),
    ],
)
def test_the_first_failure_action_that_applies_follows_a_failure(
    api: ScriptedApi, tmp_path: Path, actions: list[Any], result: str, calls: list[str]
) -> None:
    api.replies["GET /a"] = [BAD]
    failing = step("a", successCriteria=OK, onFailure=actions)
    file = write_arazzo(tmp_path, workflow(failing, step("b", onSuccess=[END]), step("c")))
    outcome = run_workflow(api, file)
    assert (outcome.result, api.calls) == (result, [f"GET /{letter}" for letter in calls])
    if result == FAILED:
        assert (outcome.step, outcome.reason, outcome.status) == ("a", "http_status", 503)


def test_actions_of_the_workflow_apply_to_steps_that_do_not_override_them_by_name(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.replies = {"GET /a": [BAD], "GET /c": [BAD]}
    other = retry(criteria=NOT_FOUND)
    overridden = {"name": "go", "type": "end"}
    steps = [
        step("a", successCriteria=OK, onFailure=[other]),
        step("b", successCriteria=NOT_FOUND),
        step("c", successCriteria=OK, onFailure=[overridden]),
    ]
    document = workflow(*steps, failureActions=[goto("c", name="go")])
    result = run_workflow(api, write_arazzo(tmp_path, document))
    assert (result.result, result.step, api.calls) == (FAILED, "c", ["GET /a", "GET /c"])


@pytest.mark.parametrize("header", ["0", formatdate(0, usegmt=True)])
def test_the_header_retry_after_overrules_the_action(
    api: ScriptedApi, tmp_path: Path, header: str
) -> None:
    api.replies["GET /a"] = [Reply(503, headers={"Retry-After": header}), GOOD]
    failing = step("a", successCriteria=OK, onFailure=[retry(retryAfter=1000)])
    assert run_workflow(api, write_arazzo(tmp_path, workflow(failing))).result == PASSED


@pytest.mark.parametrize("header", ["soon", "-1", f"Wed, 21 Oct 2015 07:28:00 +{10**16}"])
def test_an_invalid_header_retry_after_is_ignored(
    api: ScriptedApi, tmp_path: Path, header: str
) -> None:
    api.replies["GET /a"] = [Reply(503, headers={"Retry-After": header}), GOOD]
    failing = step("a", successCriteria=OK, onFailure=[retry()])
    assert run_workflow(api, write_arazzo(tmp_path, workflow(failing))).result == PASSED


def test_a_retry_without_criteria_follows_a_broken_connection(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.replies["GET /a"] = [Reply(0), Reply(0), GOOD]
    failing = step("a", onFailure=[retry(retryLimit=2)])
    assert run_workflow(api, write_arazzo(tmp_path, workflow(failing))).result == PASSED
    by_status = step("a", onFailure=[retry(criteria=expect("$statusCode == 503"))])
    api.replies["GET /a"] = [Reply(0)]
    result = run_workflow(api, write_arazzo(tmp_path, workflow(by_status)))
    assert (result.result, result.reason) == (FAILED, "connect")


def test_a_retry_runs_the_step_that_it_names_first(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["GET /a"] = [BAD, GOOD]
    failing = step("a", successCriteria=OK, onFailure=[retry(stepId="b")])
    last = step("c", parameters=[{"name": "q", "in": "query", "value": "$steps.b.outputs.n"}])
    steps = [failing, step("b", outputs={"n": "$response.body#/n"}), last]
    api.replies["GET /b"] = [Reply(body={"n": 7})]
    assert run_workflow(api, write_arazzo(tmp_path, workflow(*steps))).result == PASSED
    assert api.calls == ["GET /a", "GET /b", "GET /a", "GET /b", "GET /c?q=7"]


def test_a_retry_runs_the_named_step_of_its_own_workflow(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["GET /a"] = [BAD, GOOD]
    failing = step("a", onFailure=[retry(stepId="b")])
    inner = workflow(failing, step("b", "c"), workflow_id="inner")
    outer = workflow(step("call", workflowId="inner"), failing, step("b", "d"))
    assert run_workflow(api, write_arazzo(tmp_path, outer, inner)).result == PASSED
    assert api.calls[:4] == ["GET /a", "GET /c", "GET /a", "GET /c"]


def test_a_retry_that_names_its_own_step_runs_it_before_each_retry(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.replies["GET /a"] = [BAD]
    failing = step("a", successCriteria=OK, onFailure=[retry(stepId="a", retryLimit=3)])
    assert run_workflow(api, write_arazzo(tmp_path, workflow(failing))).result == FAILED
    assert len(api.calls) == 1 + 3 * 2


def test_a_retry_runs_the_workflow_that_it_names_with_parameters(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.replies["GET /a"] = [Reply(401), GOOD]
    parameters = [{"name": "user", "value": "$statusCode"}]
    action = retry(workflowId="login", parameters=parameters)
    query = [{"name": "q", "in": "query", "value": "$inputs.user"}]
    inputs = {"type": "object", "properties": {"user": {"type": "integer"}}}
    login = workflow(step("b", parameters=query), workflow_id="login", inputs=inputs)
    first = workflow(step("a", successCriteria=OK, onFailure=[action]))
    assert run_workflow(api, write_arazzo(tmp_path, first, login)).result == PASSED
    assert api.calls == ["GET /a", "GET /b?q=401", "GET /a"]


def test_components_are_reused_and_workflow_parameters_overridden(
    api: ScriptedApi, tmp_path: Path
) -> None:
    components = {
        "parameters": {"my.page": {"name": "q", "in": "query", "value": 1}},
        "failureActions": {"more": retry(retryLimit=1)},
        "inputs": {"base": {"type": "object", "properties": {"n": {"default": "x"}}}},
    }
    page = {"reference": "$components.parameters.my.page"}
    size = {"name": "r", "in": "query", "value": "$inputs.n"}
    document = workflow(
        step("a"),
        step("b", parameters=[{**page, "value": 2}]),
        step("c", onFailure=[{"reference": "$components.failureActions.more"}]),
        inputs={"$ref": "#/components/inputs/base"},
        parameters=[page, size, {"name": "id", "in": "path", "value": 1}],
    )
    api.replies["GET /c"] = [BAD, GOOD]
    assert (
        run_workflow(api, write_arazzo(tmp_path, document, components=components)).result == PASSED
    )
    assert api.calls == ["GET /a?q=1&r=x", "GET /b?q=2&r=x", "GET /c?q=1&r=x", "GET /c?q=1&r=x"]


def cleaning(operation: str = "post-a", **members: Any) -> dict[str, Any]:
    """Return a step that creates a thing and names its clean-up."""
    value = "$steps.make.outputs.id"
    cleanup = step(
        "unmake", "things.delete", parameters=[{"name": "id", "in": "path", "value": value}]
    )
    outputs = {"id": "$response.body#/id"}
    return step("make", operation, outputs=outputs, **members) | {"x-cleanup": cleanup}


def test_a_step_that_runs_twice_is_cleaned_up_twice(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["POST /a"] = [Reply(201, {"id": 1}), Reply(201, {"id": 2})]
    twice = goto("make", criteria=expect("$steps.make.outputs.id == 1"))
    result = run_workflow(
        api, write_arazzo(tmp_path, workflow(cleaning(), step("b", onSuccess=[twice])))
    )
    assert result.result == PASSED
    assert api.calls[-2:] == ["DELETE /things/2", "DELETE /things/1"]


def test_a_loop_ends_with_the_deadline_and_is_cleaned_up(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["POST /a"] = [Reply(201, {"id": 1})]
    forever = step("b", onSuccess=[goto("b")])
    limits = Limits(timeout=0.5, cleanup=30.0, retries=0)
    file = write_arazzo(tmp_path, workflow(cleaning(), forever))
    result = run_workflow(api, file, limits=limits)
    assert (result.result, result.reason) == (FAILED, "timeout")
    assert api.calls[-1] == "DELETE /things/1"


@pytest.mark.parametrize("crash", [ValueError, RecursionError, KeyError])
def test_a_crash_in_a_step_is_an_error_of_the_probe_and_the_clean_up_follows(
    api: ScriptedApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    crash: type[Exception],
) -> None:
    def crashing(verified: Step, *arguments: Any) -> list[str]:
        if verified.step_id == "b":
            raise crash("a bug")
        return verify(verified, *arguments)

    monkeypatch.setattr("synthetic.probe.step_runner.verify", crashing)
    api.replies["POST /a"] = [Reply(201, {"id": 1})]
    file = write_arazzo(tmp_path, workflow(cleaning(), step("b", onFailure=[retry()]), step("c")))
    result = run_workflow(api, file)
    assert (result.result, result.step, result.reason) == ("error", "b", "runner")
    assert result.detail == f"the probe crashed with {crash.__name__}"
    assert api.calls == ["POST /a", "GET /b", "DELETE /things/1"]
    assert "a bug" in capsys.readouterr().err


def test_a_step_may_have_a_timeout_of_its_own(api: ScriptedApi, tmp_path: Path) -> None:
    slow = step("a", timeout=1, onFailure=[goto("b")])
    file = write_arazzo(tmp_path, workflow(slow, step("b")), arazzo="1.1.0")
    reply_to = api.reply_to

    def slowly(method: str, path: str) -> Reply:
        if path == "/a":
            time.sleep(0.2)
        return reply_to(method, path)

    api.reply_to = slowly  # type: ignore[method-assign] # the only slow route
    result = run_workflow(api, file)
    assert (result.result, [each.reason for each in result.steps]) == (PASSED, ["timeout", ""])


def test_a_workflow_that_cannot_run_does_not_hinder_the_others(
    api: ScriptedApi, tmp_path: Path
) -> None:
    broken = workflow(step("a", "lost", onSuccess=[{"type": "stop"}]), workflow_id="broken")
    async_step = {"stepId": "s", "operationId": "a", "action": "send"}
    asynchronous = workflow(async_step, workflow_id="asynchronous")
    file = write_arazzo(tmp_path, broken, workflow(step("a")), asynchronous, arazzo="1.1.0")
    assert run_workflow(api, file).result == PASSED
    with pytest.raises(ProbeError, match="has no operation lost") as error:
        run_workflow(api, file, "broken")
    assert "(and 2 more)" in str(error.value)
    with pytest.raises(ProbeError, match="steps of AsyncAPI are not supported"):
        run_workflow(api, file, "asynchronous")


def test_operations_are_named_by_path_and_ids_may_have_any_character(
    api: ScriptedApi, tmp_path: Path
) -> None:
    path = "{$sourceDescriptions.api.url}#/paths/~1a/post"
    first = step("a step.é", operationPath=path, outputs={"the.id": "$response.body#/id"})
    value = "$steps.a step.é.outputs.the.id"
    last = step("gone", "things.delete", parameters=[{"name": "id", "in": "path", "value": value}])
    api.replies["POST /a"] = [Reply(201, {"id": "x/y"})]
    document = workflow(first, last, workflow_id="my flow/é")
    result = run_workflow(api, write_arazzo(tmp_path, document), "my flow/é")
    assert (result.result, api.calls) == (PASSED, ["POST /a", "DELETE /things/x%2Fy"])
