"""Workflows that call others, and those that they depend on."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.scripted_api import (
    BAD,
    FAILED,
    PASSED,
    Reply,
    ScriptedApi,
    expect,
    run_workflow,
    step,
    workflow,
    write_arazzo,
)

CALLED = workflow(
    step("b", parameters=[{"name": "q", "in": "query", "value": "$inputs.n"}],
         outputs={"id": "$response.body#/id"}),
    workflow_id="called",
    inputs={
        "type": "object",
        "properties": {"n": {"type": "integer"}, "m": {"default": 2}},
        "required": ["n"],
    },
    outputs={"id": "$steps.b.outputs.id", "m": "$inputs.m", "lost": "$steps.b.outputs.id#/x"},
)  # fmt: skip


def calling(value: Any, **members: Any) -> dict[str, Any]:
    """Return a step that calls the workflow ``called``."""
    parameters = [{"name": "n", "value": value}]
    return step("call", workflowId="called", parameters=parameters, **members)


def test_a_step_calls_a_workflow_and_reads_its_outputs(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["GET /b"] = [Reply(body={"id": [5, 6]})]
    call = calling(
        3,
        outputs={"first": "$outputs.id#/0", "m": "$outputs.m"},
        successCriteria=expect("$outputs.id[1] == 6", "$statusCode == 200"),
    )
    value = "{$steps.call.outputs.first}-{$steps.call.outputs.m}-{$workflows.called.outputs.m}"
    last = step("c", parameters=[{"name": "q", "in": "query", "value": value}])
    result = run_workflow(api, write_arazzo(tmp_path, workflow(call, last), CALLED))
    assert (result.result, api.calls) == (PASSED, ["GET /b?q=3", "GET /c?q=5-2-2"])
    assert [each.step_id for each in result.steps] == ["call/b", "call", "c"]


def test_a_failure_in_a_called_workflow_fails_its_step(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["GET /b"] = [Reply(502)]
    result = run_workflow(api, write_arazzo(tmp_path, workflow(calling(3), step("c")), CALLED))
    assert (result.result, result.step, result.reason, result.status) == (
        FAILED, "call", "http_status", 502,
    )  # fmt: skip
    assert result.detail.startswith("call/b: ")
    assert api.calls == ["GET /b?q=3"]


@pytest.mark.parametrize(
    "schema",
    [{"type": "string"}, {"minProperties": 1}, {"anyOf": [{"required": ["n"]}]}, {"not": {}}],
)
def test_a_workflow_that_gets_no_inputs_runs_whatever_their_schema(
    api: ScriptedApi, tmp_path: Path, schema: Any
) -> None:
    called = workflow(step("b"), workflow_id="called", inputs=schema)
    goto = {"name": "on", "type": "goto", "workflowId": "called"}
    steps = step("call", workflowId="called"), step("a", onSuccess=[goto])
    assert run_workflow(api, write_arazzo(tmp_path, workflow(*steps), called)).result == PASSED
    assert api.calls == ["GET /b", "GET /a", "GET /b"]


@pytest.mark.parametrize("value", ["three", None, {"$": 1}])
def test_inputs_of_a_called_workflow_have_to_match_its_schema(
    api: ScriptedApi, tmp_path: Path, value: Any
) -> None:
    result = run_workflow(api, write_arazzo(tmp_path, workflow(calling(value)), CALLED))
    assert (result.result, result.step) == (FAILED, "call")
    assert result.detail.startswith("the inputs of called: n: ")
    assert api.calls == []


def test_goto_transfers_to_a_workflow_for_good(api: ScriptedApi, tmp_path: Path) -> None:
    action = {"name": "go", "type": "goto", "workflowId": "called"}
    action["parameters"] = [{"name": "n", "value": 4}]  # type: ignore[assignment] # any JSON
    first = workflow(step("a", onSuccess=[action]), step("c"))
    assert run_workflow(api, write_arazzo(tmp_path, first, CALLED)).result == PASSED
    assert api.calls == ["GET /a", "GET /b?q=4"]


def test_workflows_run_once_before_those_that_depend_on_them(
    api: ScriptedApi, tmp_path: Path
) -> None:
    query = {"name": "q", "in": "query", "value": "$workflows.y.outputs.v"}
    document = [
        workflow(step("a", parameters=[query]), dependsOn=["x", "y"]),
        workflow(step("b"), workflow_id="x", dependsOn=["y"]),
        workflow(step("c"), workflow_id="y", outputs={"v": "$statusCode"}),
    ]  # fmt: skip
    file = write_arazzo(tmp_path, *document)
    assert run_workflow(api, file).result == PASSED
    assert api.calls == ["GET /c", "GET /b", "GET /a?q=200"]
    api.replies["GET /c"] = [BAD]
    result = run_workflow(api, file)
    assert (result.result, result.step) == (FAILED, "x/y/c")


def test_a_workflow_of_another_document_uses_that_documents_contract_and_components(
    api: ScriptedApi, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    components = {"parameters": {"page": {"name": "q", "in": "query", "value": "$inputs.n"}}}
    reference = {"reference": "$components.parameters.page"}
    called = {**CALLED, "steps": [step("b", parameters=[reference])], "outputs": {}}
    write_arazzo(tmp_path / "other", called, name="o.yaml", components=components)
    sources = [
        {"name": "api", "url": "api.yaml", "type": "openapi"},
        {"name": "other", "url": "other/o.yaml", "type": "arazzo"},
    ]
    call = step(
        "call",
        workflowId="$sourceDescriptions.other.called",
        parameters=[{"name": "n", "value": "$sourceDescriptions.other.url"}],
    )
    file = write_arazzo(tmp_path, workflow(step("a"), call), sourceDescriptions=sources)
    result = run_workflow(api, file)
    assert result.detail == 'the inputs of called: n: the value is not of type "integer"'
    call["parameters"][0]["value"] = 8
    file = write_arazzo(tmp_path, workflow(step("a"), call), sourceDescriptions=sources)
    assert run_workflow(api, file).result == PASSED
    assert api.calls == ["GET /a", "GET /a", "GET /b?q=8"]


def test_workflows_that_call_each_other_forever_fail(api: ScriptedApi, tmp_path: Path) -> None:
    document = workflow(step("a", workflowId="w"))
    result = run_workflow(api, write_arazzo(tmp_path, document))
    assert (result.result, result.reason) == ("error", "runner")
    assert "more than 20 workflows" in result.detail
