"""Requests, statuses and outputs that a contract does not declare."""

import json
from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.arazzo_parser import read_all
from tests.support.synthetic.mock_api import MockApi, call, write_call
from tests.support.synthetic.object_api import synthetic
from tests.support.synthetic.scripted_api import (
    expect,
    step,
    workflow,
    write_arazzo,
)

CONTRACT_MISTAKES = [
    ({"successCriteria": expect("$statusCode == 201 || $statusCode == 418")}, "the status 418"),
    ({"requestBody": {"payload": {"name": 5}}}, "name: the value is not of type"),
    ({"requestBody": {"payload": {}}}, '"name" is a required property'),
    ({"requestBody": {"payload": '{"name": "x"'}}, "the payload is not JSON"),
    ({"requestBody": {"contentType": "text/csv", "payload": "x"}}, "no body of type text/csv"),
    ({"outputs": {"x": "$response.body#/idd"}}, "has /idd; did you mean id?"),
    ({"outputs": {"x": "$response.body#/items/0/nam"}}, "has /items/0/nam"),
]


FINE = [
    {"successCriteria": expect("$statusCode == 422"), "requestBody": {"payload": {}}},
    {"requestBody": {"payload": {"name": "$inputs.n"}}},
    {"outputs": {"x": "$response.body#/items/0/name", "y": "$response.body#/any/thing"}},
    {"outputs": {"x": "$response.body#/title", "y": "$response.body", "z": "$statusCode"}},
]


def write_strict_contract(folder: Path) -> None:
    """Write a contract with one operation and schemas."""
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    thing = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "items": {"type": "array", "items": {"allOf": [named]}},
            "any": {"type": "object"},
        },
    }
    problem = {"type": "object", "properties": {"title": {"type": "string"}}}
    responses = {
        status: {"description": "x", "content": {"application/json": {"schema": schema}}}
        for status, schema in (("201", thing), ("422", problem))
    }
    operation = {
        "operationId": "make",
        "requestBody": {"content": {"application/json": {"schema": named}}},
        "responses": responses,
    }
    contract = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/things": {"post": operation}},
    }
    (folder / "api.yaml").write_text(json.dumps(contract))


def contract_problems(tmp_path: Path, members: dict[str, Any]) -> list[str]:
    """Return the problems of a step by the strict contract."""
    inputs = {"type": "object", "properties": {"n": {"default": "x"}}}
    file = write_arazzo(tmp_path, workflow(step("s", "make", **members), inputs=inputs))
    write_strict_contract(tmp_path)
    _, problems = read_all(file, against_contract=True)
    return [str(problem) for problem in problems if not problem.is_warning]


@pytest.mark.parametrize(("members", "message"), CONTRACT_MISTAKES)
def test_a_check_finds_what_the_contract_does_not_declare(
    tmp_path: Path, members: dict[str, Any], message: str
) -> None:
    (problem,) = contract_problems(tmp_path, members)
    assert message in problem


def test_a_range_of_statuses_is_written_in_capitals(tmp_path: Path) -> None:
    for key, reason in (("2XX", ""), ("2xx", "schema")):
        file = write_call(tmp_path, {"responses": {key: {"description": "x"}}})
        result = call(file, MockApi(204))[0]
        assert result.reason == reason
    assert "the status 204: 2xx is no range of OpenAPI, write 2XX" in result.detail
    inputs = {"type": "object", "properties": {"n": {"default": "x"}}}
    payload, criteria = {"payload": {"name": "a"}}, expect("$statusCode == 201")
    made = step("s", "make", requestBody=payload, successCriteria=criteria)
    file = write_arazzo(tmp_path, workflow(made, inputs=inputs))
    write_strict_contract(tmp_path)
    contract = tmp_path / "api.yaml"
    contract.write_text(contract.read_text().replace('"201"', '"2xx"'))
    _, problems = read_all(file, against_contract=True)
    assert [problem for problem in problems if "write 2XX" in str(problem)] != []


@pytest.mark.parametrize("members", FINE)
def test_a_check_accepts_what_the_contract_allows(tmp_path: Path, members: dict[str, Any]) -> None:
    assert contract_problems(tmp_path, members) == []


REPEATED = """\
openapi: 3.0.3
info: {title: x, version: "1"}
paths:
  /x:
    get: {operationId: call, responses: {"200": {description: d}}}
  /y:
    get: {operationId: lost, responses: {"200": {description: d}}}
  /y:
    post: {operationId: other, responses: {"200": {description: d}, "200": {description: e}}}
"""


def test_a_check_warns_of_names_that_a_contract_repeats(tmp_path: Path) -> None:
    file = write_call(tmp_path, {})
    assert synthetic("check", file).stdout == f"{file}: 1 valid workflow, 0 mistakes\n"
    (tmp_path / "api.yaml").write_text(REPEATED)
    done = synthetic("check", file)
    assert done.code == 0
    *warnings, summary = done.stdout.splitlines()
    places = ["api.yaml:8:3: /y", "api.yaml:9:69: 200"]
    ending = "is repeated, and only the last one counts"
    found = [warning.partition("warning: ")[2] for warning in warnings]
    assert found == [f"{place} {ending}" for place in places]
    assert summary == f"{file}: 1 valid workflow, 0 mistakes, 2 warnings"
    json_contract = '{"openapi": "3.1.0", "info": {}, "info": {"title": "x"}, "paths": {}}'
    (tmp_path / "api.yaml").write_text(json_contract)
    assert f"api.yaml:1:34: info {ending}" in synthetic("check", file).stdout


def write_bare_call(folder: Path, version: str, condition: str) -> Path:
    """Write a call of an operation whose contract declares no responses."""
    operation = {"operationId": "call"}
    contract = {"openapi": version, "paths": {"/x": {"get": operation}}}
    criteria = {"successCriteria": expect(condition)}
    return write_call(folder, {}, criteria, contract=contract)


@pytest.mark.parametrize("version", ["3.1.0", "3.1.1", "3.2.0"])
def test_an_operation_needs_no_responses_since_openapi_3_1(tmp_path: Path, version: str) -> None:
    file = write_bare_call(tmp_path, version, "$statusCode == 202")
    assert synthetic("check", file).code == 0
    drafted = synthetic("new", tmp_path / "api.yaml")
    assert (drafted.code, drafted.stderr) == (0, "synthetic new: 1 workflow, 1 step\n")
    header = [("Content-Type", "text/html")]
    assert call(file, MockApi(202, header, b"<p>"))[0].result == "passed"
    assert call(file, MockApi(200, header, b"<p>"))[0].reason == "http_status"


def test_an_operation_of_openapi_3_0_needs_responses(tmp_path: Path) -> None:
    done = synthetic("check", write_bare_call(tmp_path, "3.0.4", "$statusCode == 202"))
    assert done.code == 1
    assert "call declares no responses" in done.stdout
