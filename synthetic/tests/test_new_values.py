"""Values that `synthetic new` sends: examples of the contract, built ones, and generated ones."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from synthetic.new.patterns import matching_text
from synthetic.probe.yaml_document import YamlDocument
from tests.support.synthetic.object_api import (
    TEXT,
    crud,
    synthetic,
    write_contract,
)

INTEGER = {"type": "integer"}
MEMBERS: dict[str, tuple[dict[str, Any], Any]] = {
    "const": ({"const": "fixed"}, "fixed"),
    "example": ({"type": "string", "example": "shown"}, "shown"),
    "examples": ({"type": "string", "examples": ["first", "second"]}, "first"),
    "default": ({"type": "integer", "default": 7}, 7),
    "enum": ({"enum": [None, "red", "blue"]}, "red"),
    "an example that the schema forbids": ({"type": "integer", "example": "no", "minimum": 3}, 3),
    "minimum": ({"type": "integer", "minimum": 40}, 40),
    "exclusiveMinimum": ({"type": "number", "exclusiveMinimum": 5}, 6),
    "multipleOf": ({"type": "integer", "minimum": 10, "multipleOf": 8}, 16),
    "maximum": ({"type": "integer", "maximum": -5}, -5),
    "boolean": ({"type": "boolean"}, False),
    "null": ({"type": "null"}, None),
    "null at last": ({"type": ["null", "integer"]}, 1),
    "minLength": ({"type": "string", "minLength": 7}, "probepr"),
    "maxLength": ({"type": "string", "maxLength": 3}, "pro"),
    "pattern": ({"type": "string", "pattern": "^[A-Z]{2}-(?:[0-9]{3}|x)$"}, "AA-000"),
    "pattern with a look-ahead": (
        {"type": "string", "pattern": "^(?!aa)[a-c]{2}$"},
        "$inputs.size",
    ),
    "pattern with a length": ({"type": "string", "pattern": "^[a-c]+$", "minLength": 4}, "aaaaa"),
    "date": ({"type": "string", "format": "date"}, "2030-01-15"),
    "uri": ({"type": "string", "format": "uri"}, "https://example.com/"),
    "array": ({"type": "array", "items": INTEGER, "minItems": 2}, [1, 1]),
    "object": ({"type": "object", "required": ["x"], "properties": {"x": INTEGER}}, {"x": 1}),
    "oneOf": ({"oneOf": [{"type": "integer", "minimum": 2}, TEXT]}, 2),
    "anyOf": ({"anyOf": [{"not": {}}, {"type": "boolean"}]}, False),
    "allOf": ({"allOf": [INTEGER, {"minimum": 9}]}, 9),
    "a text like an expression": ({"type": "string", "example": "$5.00"}, "$5.00"),
    "a text that is an expression": ({"type": "string", "example": "$inputs.x"}, "$inputs.size"),
    "readOnly": ({"type": "string", "readOnly": True}, "absent"),
    "writeOnly": ({"type": "integer", "writeOnly": True}, 1),
}


def payload_of(folder: Path, schema: dict[str, Any], **media: Any) -> tuple[Any, dict[str, Any]]:
    """Return the payload of a creation, and its workflow."""
    paths = crud(methods="post get delete")
    content = {"application/json": {"schema": schema, **media}}
    paths["/things"]["post"]["requestBody"] = {"content": content}
    done = synthetic("new", write_contract(folder, paths))
    assert done.code == 0, done.stderr
    (workflow,) = yaml.safe_load(done.stdout)["workflows"]
    return workflow["steps"][0]["requestBody"]["payload"], workflow


@pytest.mark.parametrize(("schema", "expected"), MEMBERS.values(), ids=MEMBERS)
def test_a_member_has_a_value_that_its_schema_allows(
    tmp_path: Path, schema: dict[str, Any], expected: Any
) -> None:
    whole = {"type": "object", "required": ["size"], "properties": {"size": schema}}
    payload, _ = payload_of(tmp_path, whole)
    assert payload.get("size", "absent") == expected


def alternative(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that requires one property."""
    return {"type": "object", "required": [name], "properties": {name: schema}}


IDS = {"type": "array", "minItems": 1, "items": TEXT}
ALTERNATIVES = {
    "an object of its own": {"oneOf": [alternative("disk_id", INTEGER), alternative("size", TEXT)]},
    "beside common properties": {
        "type": "object",
        "properties": {"label": {"type": "boolean"}},
        "anyOf": [alternative("disk_id", TEXT)],
    },
    "a property of the whole": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"disk_id": IDS, "others": IDS},
        "anyOf": [{"required": ["disk_id"]}, {"required": ["others"]}],
    },
}


@pytest.mark.parametrize("schema", ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_an_id_that_an_alternative_requires_is_left_to_the_user(
    tmp_path: Path, schema: dict[str, Any]
) -> None:
    payload, workflow = payload_of(tmp_path, schema)
    assert payload["disk_id"] == "$inputs.disk_id"
    assert workflow["inputs"]["required"] == ["disk_id"]


@pytest.mark.parametrize("parser", [None, ModuleType("re._parser")], ids=["missing", "other"])
def test_a_pattern_is_left_to_the_user_without_the_private_parser(
    monkeypatch: pytest.MonkeyPatch, parser: ModuleType | None
) -> None:
    assert matching_text("^a{2}$") == "aa"
    monkeypatch.setitem(sys.modules, "re._parser", parser)
    assert matching_text("^a{2}$") is None


GENERATED = {
    "email": ("contact", {"type": "string", "format": "email"}, "email"),
    "e-mail by name": ("contactEmail", TEXT, "email"),
    "cpf": ("cpf", TEXT, "cpf"),
    "cnpj": ("cnpj", TEXT, "cnpj"),
    "password": ("password", TEXT, "password"),
    "name": ("displayName", TEXT, "name"),
    "a short name": ("name", {"type": "string", "maxLength": 8}, "words 1"),
    "a name without blanks": ("name", {"type": "string", "pattern": "^[a-z0-9-]+$"}, "username"),
    "uuid": ("token", {"type": "string", "format": "uuid"}, "uuid"),
    "an id that the caller chooses": ("id", INTEGER, "integer 1000 2147483647"),
    "a moment": ("startsAt", {"type": "string", "format": "date-time"}, "date-time"),
}


@pytest.mark.parametrize(("name", "schema", "generator"), GENERATED.values(), ids=GENERATED)
def test_what_has_to_differ_in_each_run_is_generated(
    tmp_path: Path, name: str, schema: dict[str, Any], generator: str
) -> None:
    whole = {"type": "object", "required": [name], "properties": {name: schema}}
    payload, workflow = payload_of(tmp_path, whole)
    assert payload == {name: f"$inputs.{name}"}
    assert workflow["x-generate"] == {name: generator}


def test_an_example_of_the_body_comes_before_those_of_its_members(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": INTEGER, "b": INTEGER}}
    payload, _ = payload_of(tmp_path, schema, examples={"x": {"value": {"a": 5, "b": 6}}})
    assert payload == {"a": 5, "b": 6}
    payload, _ = payload_of(tmp_path, schema, example={"a": "wrong"})
    assert payload == {"a": 1}


def test_a_schema_that_refers_to_itself_ends(tmp_path: Path) -> None:
    tree = {"type": "object", "required": ["next"], "properties": {}}
    tree["properties"] = {"next": {"$ref": "#/paths/~1things/post/requestBody/content/x~1y/schema"}}
    paths = crud(methods="post get")
    paths["/things"]["post"]["requestBody"] = {"content": {"x/y": {"schema": tree}}}
    done = synthetic("new", write_contract(tmp_path, paths))
    assert done.code == 0
    assert "fill in" in done.stderr


def test_a_required_parameter_has_its_example_or_is_left_to_the_user(tmp_path: Path) -> None:
    parameters = [
        {"name": "kind", "in": "query", "required": True, "schema": {"enum": ["a", "b"]}},
        {"name": "X-Tenant", "in": "header", "required": True, "schema": TEXT},
        {"name": "other", "in": "query", "schema": TEXT},
    ]
    reads = {"get": {"parameters": parameters, "responses": {"200": {"description": "x"}}}}
    done = synthetic("new", write_contract(tmp_path, {"/report": reads}))
    (workflow,) = yaml.safe_load(done.stdout)["workflows"]
    assert workflow["steps"][0]["parameters"] == [
        {"name": "kind", "in": "query", "value": "a"},
        {"name": "X-Tenant", "in": "header", "value": "$inputs.X-Tenant"},
    ]
    assert workflow["inputs"]["required"] == ["X-Tenant"]
    assert workflow["workflowId"] == "GET-report"


def test_strings_stay_strings_in_both_versions_of_yaml(tmp_path: Path) -> None:
    texts = ["yes", "1e3", "0o17", "1:30", "null", "2030-01-15", "#", "- a", "é\u0007"]
    schema = {"type": "object", "required": ["x"], "properties": {"x": {"const": texts}}}
    payload, _ = payload_of(tmp_path, schema)
    assert payload == {"x": texts}
    file = tmp_path / "journeys.yaml"
    assert synthetic("new", tmp_path / "api.yaml", "-o", file).code == 0
    step = YamlDocument(file).value["workflows"][0]["steps"][0]
    assert step["requestBody"]["payload"] == {"x": texts}


FOLDER = os.environ.get("ARAZZO_CASES", "")


def contracts() -> list[Path]:
    """Return the OpenAPI descriptions of others, one for each content."""
    files = sorted(Path(FOLDER or os.devnull).glob("**/*.yaml"))
    found = {file.read_bytes(): file for file in files if "\nopenapi" in f"\n{file.read_text()}"}
    return sorted(found.values())


@pytest.mark.skipif(not FOLDER, reason="ARAZZO_CASES names no folder with contracts of others")
@pytest.mark.parametrize(
    "contract", contracts(), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_contracts_of_others_give_journeys_without_mistakes(contract: Path, tmp_path: Path) -> None:
    file = tmp_path / "journeys.arazzo.yaml"
    done = synthetic("new", contract, "-o", file)
    if done.code:
        assert "is not undone: name it with --operation" in done.stderr
        return
    checked = synthetic("check", file)
    assert checked.code == 0, checked.stdout


def test_the_document_is_the_same_each_time(tmp_path: Path) -> None:
    contract = write_contract(tmp_path, {**crud(), **crud("/owners", "owner_id")})
    first, second = (synthetic("new", contract, "--version", "1.1.0").stdout for _ in range(2))
    assert first == second
    assert yaml.safe_load(first)["arazzo"] == "1.1.0"
