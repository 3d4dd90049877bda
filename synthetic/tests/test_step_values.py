"""Payloads, replacements and Selector Objects, read back from the requests that a server gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.scripted_api import (
    Reply,
    ScriptedApi,
    expect,
    run_workflow,
    step,
    workflow,
    write_arazzo,
)

XML = "<o><id>7</id><item n='1'>a</item><item n='2'>b</item></o>"
BODY = {"n": 7, "items": [{"id": 1}, {"id": 2}], "text": "x"}


@pytest.fixture(autouse=True)
def _replies(api: ScriptedApi) -> None:
    """Let the route /a reply with JSON, and /b with XML."""
    api.replies["GET /a"] = [Reply(body=BODY)]
    api.replies["GET /b"] = [Reply(body=XML, headers={"Content-Type": "application/xml"})]


def sent_body(api: ScriptedApi, tmp_path: Path, body: dict[str, Any], version: str) -> str:
    """Return the body that a journey sends after it has read JSON and XML."""
    first = step("a", outputs={"all": "$response.body", "items": "$response.body#/items"})
    second = step("b", outputs={"xml": "$response.body"})
    steps = [first, second, step("c", "post-c", requestBody=body)]
    result = run_workflow(api, write_arazzo(tmp_path, workflow(*steps), arazzo=version))
    assert result.result == "passed", result.detail
    return api.requests[-1][3]


@pytest.mark.parametrize(
    ("payload", "replacements", "sent"),
    [
        ("$steps.a.outputs.all", [("/n", 8), ("/new", "$steps.a.outputs.all#/text")],
         {**BODY, "n": 8, "new": "x"}),
        ({"a": [1, 2, {"b~/c": 3}]}, [("/a/2/b~0~1c", None), ("/a/0", [0]), ("/a/-", 4)],
         {"a": [[0], 2, {"b~/c": None}, 4]}),
        ('{"a": "{$steps.a.outputs.all.n}"}', [("/a", "$steps.a.outputs.all.n")], {"a": 7}),
        ({"a": 1}, [("/a", "$steps.a.outputs.all.lost")], {"a": 1}),
        ({"a": 1}, [("", {"whole": True})], {"whole": True}),
    ],
)  # fmt: skip
def test_replacements_set_values_at_json_pointers(
    api: ScriptedApi, tmp_path: Path, payload: Any, replacements: list[Any], sent: Any
) -> None:
    body = {
        "contentType": "application/json",
        "payload": payload,
        "replacements": [{"target": target, "value": value} for target, value in replacements],
    }
    assert json.loads(sent_body(api, tmp_path, body, "1.0.1")) == sent


def test_replacements_of_a_form_keep_its_other_fields(api: ScriptedApi, tmp_path: Path) -> None:
    body = {
        "contentType": "application/x-www-form-urlencoded",
        "payload": "a={$steps.a.outputs.all.n}&b=x+y&c=",
        "replacements": [{"target": "/b", "value": "New York"}],
    }
    assert sent_body(api, tmp_path, body, "1.0.1") == "a=7&b=New+York&c="


def test_replacements_of_xml_are_located_by_xpath(api: ScriptedApi, tmp_path: Path) -> None:
    body = {
        "contentType": "application/xml",
        "payload": "$steps.b.outputs.xml",
        "replacements": [
            {"target": "/o/item[@n='2']", "value": "<b> & {$steps.a.outputs.all.n}"},
            {"target": "/o/item[1]/@n", "value": 9},
        ],
    }
    sent = sent_body(api, tmp_path, body, "1.0.1")
    expected = '<o><id>7</id><item n="9">a</item><item n="2">&lt;b&gt; &amp; 7</item></o>'
    assert sent == expected


def test_replacements_of_1_1_are_located_by_jsonpath(api: ScriptedApi, tmp_path: Path) -> None:
    target = {"target": "$.items[?@.id == 2].id", "targetSelectorType": "jsonpath", "value": 5}
    body = {"payload": "$steps.a.outputs.all", "replacements": [target]}
    sent = json.loads(sent_body(api, tmp_path, body, "1.1.0"))
    assert sent == {**BODY, "items": [{"id": 1}, {"id": 5}]}


def selector(context: str, text: str, kind: Any) -> dict[str, Any]:
    """Return a Selector Object."""
    return {"context": context, "selector": text, "type": kind}


def test_selector_objects_of_1_1_select_parts_of_values(api: ScriptedApi, tmp_path: Path) -> None:
    whole, xml = "$steps.a.outputs.all", "$steps.b.outputs.xml"
    payload = {
        "one": selector(whole, "$.items[0].id", "jsonpath"),
        "more": selector(whole, "$.items[*].id", {"type": "jsonpath", "version": "rfc9535"}),
        "pointer": selector(whole, "/items/1", "jsonpointer"),
        "xml": selector(xml, "/o/id", {"type": "xpath", "version": "xpath-10"}),
        "count": selector(xml, "count(/o/item)", "xpath"),
        "none": selector(whole, "$.lost", "jsonpath"),
        "not xml": selector(whole, "/o", "xpath"),
    }
    sent = json.loads(sent_body(api, tmp_path, {"payload": payload}, "1.1.0"))
    assert sent == {"one": 1, "more": [1, 2], "pointer": {"id": 2}, "xml": "7", "count": 2}


def test_selector_objects_are_outputs_and_parameters(api: ScriptedApi, tmp_path: Path) -> None:
    first = step("a", outputs={"id": selector("$response.body", "$.items[1].id", "jsonpath")})
    value = selector("$steps.b.outputs.xml", "/o/item[1]/@n", "xpath")
    last = step(
        "c",
        parameters=[
            {"name": "q", "in": "query", "value": "$steps.a.outputs.id"},
            {"name": "r", "in": "query", "value": value},
        ],
    )
    steps = [first, step("b", outputs={"xml": "$response.body"}), last]
    outputs = {"n": selector("$steps.a.outputs.id", "", "jsonpointer")}
    file = write_arazzo(tmp_path, workflow(*steps, outputs=outputs), arazzo="1.1.0")
    assert run_workflow(api, file).result == "passed"
    assert api.calls[-1] == "GET /c?q=2&r=1"


def test_an_object_of_1_0_with_the_members_of_a_selector_is_sent_as_it_is(
    api: ScriptedApi, tmp_path: Path
) -> None:
    payload = {"context": "x", "selector": "y", "type": "z"}
    assert json.loads(sent_body(api, tmp_path, {"payload": payload}, "1.0.1")) == payload


@pytest.mark.parametrize(
    ("parameter", "detail"),
    [
        ({"name": "id", "in": "path", "value": "$inputs.x"}, "the path parameter id has no value"),
        ({"name": "id", "in": "path", "value": "a{$inputs.x}"}, "$inputs.x has no value"),
    ],
)
def test_a_path_without_a_value_fails_its_step_before_the_request(
    api: ScriptedApi, tmp_path: Path, parameter: Any, detail: str
) -> None:
    inputs = {"type": "object", "properties": {"x": {"type": "string"}}}
    deleting = step("gone", "things.delete", parameters=[parameter])
    result = run_workflow(api, write_arazzo(tmp_path, workflow(deleting, inputs=inputs)))
    assert (result.result, result.reason, api.calls) == ("failed", "assertion", [])
    assert detail in result.detail


def test_an_optional_input_without_a_value_leaves_its_parameter_out(
    api: ScriptedApi, tmp_path: Path
) -> None:
    inputs = {"type": "object", "properties": {"x": {"type": "string"}}}
    query = {"name": "q", "in": "query", "value": "$inputs.x"}
    file = write_arazzo(tmp_path, workflow(step("a", parameters=[query]), inputs=inputs))
    assert (run_workflow(api, file).result, api.calls) == ("passed", ["GET /a"])


def test_expressions_see_the_request_that_was_sent(api: ScriptedApi, tmp_path: Path) -> None:
    conditions = [
        "$request.query.q == 5 && $request.header.x-note == 'hi' && $method == 'POST'",
        "$request.body#/a/0 == 7 && $request.header.content-type == 'application/json'",
        "$url == 'HTTP://127.0.0.1:PORT/c?q=5'".replace("PORT", api.url.rpartition(":")[2]),
    ]
    sending = step(
        "c",
        "post-c",
        parameters=[
            {"name": "q", "in": "query", "value": 5},
            {"name": "X-Note", "in": "header", "value": "hi"},
        ],
        requestBody={"payload": {"a": ["$steps.a.outputs.n"]}},
        successCriteria=expect(*conditions),
    )
    steps = [step("a", outputs={"n": "$response.body.n"}), sending]
    result = run_workflow(api, write_arazzo(tmp_path, workflow(*steps)))
    assert result.result == "passed", result.detail


@pytest.mark.parametrize("text", ["😀", "😀😁", r"\ud83d\ude00", r"\ud83d", "é\\"])
def test_a_document_in_json_may_escape_any_character(
    api: ScriptedApi, tmp_path: Path, text: str
) -> None:
    body = {"contentType": "application/json", "payload": {"text": text}}
    assert json.loads(sent_body(api, tmp_path, body, "1.0.1")) == {"text": text}
