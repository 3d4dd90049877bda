"""Validation of responses: media types, content codings, headers and schemas of each version."""

import json
from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.catalog import load_journey
from synthetic.probe.results import RunResult
from tests.support.synthetic.mock_api import Document, call, check_response, write_call

STRICT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def check_json(
    folder: Path, schema: Any, value: Any, *, version: str = "3.0.3", schemas: Any = None
) -> RunResult:
    """Return the result of a call whose JSON response has a schema."""
    contract = {"openapi": version, "components": {"schemas": schemas or {}}}
    content = {"content": {"application/json": {"schema": schema}}}
    header = ("Content-Type", "application/json")
    return check_response(folder, content, json.dumps(value).encode(), header, contract=contract)


@pytest.mark.parametrize(
    ("declared", "actual", "result"),
    [
        ("application/*", "application/json", "passed"),
        ("*/*", "application/json", "passed"),
        ("application/json; charset=utf-8", "application/json", "passed"),
        ("application/json; charset=utf-8", "application/json;charset=UTF-8", "passed"),
        ("Application/JSON", "application/Json", "passed"),
        ("application/json", 'application/json; charset="utf-8"', "passed"),
        ("application/*+json", "application/json", "failed"),
        ("text/*", "application/json", "failed"),
        ("application/json", "text/json", "failed"),
        ("application/json", "application", "failed"),
    ],
)
def test_compares_media_types_by_range_and_without_regard_to_case(
    tmp_path: Path, declared: str, actual: str, result: str
) -> None:
    content = {"content": {declared: {"schema": STRICT}}}
    done = check_response(tmp_path, content, b'{"id": 1}', ("Content-Type", actual))
    assert done.result == result, done.detail


def test_the_schema_of_the_most_specific_media_type_applies(tmp_path: Path) -> None:
    content: Document = {
        "content": {
            "*/*": {"schema": {"type": "string"}},
            "application/*": {"schema": {"type": "array"}},
            "application/json": {"schema": {"type": "boolean"}},
            "application/json; v=2": {"schema": STRICT},
        }
    }
    header = ("Content-Type", "application/json; v=2")
    assert check_response(tmp_path, content, b'{"id": 1}', header).result == "passed"
    assert check_response(tmp_path, content, b"true", header).reason == "schema"
    other = ("Content-Type", "application/json; v=1")
    assert check_response(tmp_path, content, b"true", other).result == "passed"


@pytest.mark.parametrize(
    ("media_type", "schema", "body", "reason"),
    [
        ("text/plain", {"type": "string", "pattern": "^ok$"}, b"nope", "schema"),
        ("text/plain", {"type": "string", "pattern": "^ok$"}, b"ok", ""),
        ("text/plain", {"type": "integer", "minimum": 3}, b"2", "schema"),
        ("text/plain", {"type": "integer", "minimum": 3}, b"3", ""),
        ("text/csv", {"type": "string", "maxLength": 3}, b"a,b,c", "schema"),
        ("text/plain", {"type": "string"}, b"\xff", "schema"),
        ("application/problem+json", STRICT, b"{}", "schema"),
        ("application/octet-stream", {"type": "string", "format": "binary"}, b"\xff", ""),
        ("application/xml", {"type": "object"}, b"<a/>", ""),
        ("application/json", {}, b"[NaN]", "schema"),
    ],
)
def test_checks_a_body_by_its_media_type(
    tmp_path: Path, media_type: str, schema: Document, body: bytes, reason: str
) -> None:
    content = {"content": {media_type: {"schema": schema}}}
    done = check_response(tmp_path, content, body, ("Content-Type", media_type))
    assert done.reason == reason, done.detail


def test_checks_each_line_of_json_lines(tmp_path: Path) -> None:
    content = {"content": {"application/jsonl": {"itemSchema": STRICT}}}
    header = ("Content-Type", "application/jsonl")
    good, bad = b'{"id": 1}\n{"id": 2}\n', b'{"id": 1}\n{"id": "x"}\n'
    contract = {"openapi": "3.2.0"}
    assert check_response(tmp_path, content, good, header, contract=contract).result == "passed"
    failed = check_response(tmp_path, content, bad, header, contract=contract)
    assert "line 2 of the body of 200 at /id" in failed.detail


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        ({"type": "boolean"}, "true", ""),
        ({"type": "boolean"}, "yes", "schema"),
        ({"type": "integer"}, "12", ""),
        ({"type": "integer"}, "1.5", "schema"),
        ({"type": "integer"}, "012", "schema"),
        ({"type": "number"}, "1e3", ""),
        ({"type": "string", "pattern": r"^\d+$"}, "12", ""),
        ({"type": "array", "items": {"type": "integer"}}, "1, 2,3", ""),
        ({"type": "array", "items": {"type": "integer"}}, "1,b", "schema"),
        ({"type": "object", "properties": {"r": {"type": "integer"}}}, "r,100,g,x", ""),
        ({"type": "object", "properties": {"r": {"type": "integer"}}}, "r,red", "schema"),
        ({"allOf": [{"$ref": "#/components/schemas/Count"}]}, "7", ""),
        ({"allOf": [{"$ref": "#/components/schemas/Count"}]}, "many", "schema"),
        ({"enum": [1, 2]}, "2", ""),
    ],
)
def test_parses_a_header_by_its_schema(
    tmp_path: Path, schema: Document, text: str, reason: str
) -> None:
    contract = {"components": {"schemas": {"Count": {"type": "integer"}}}}
    response = {"headers": {"X-A": {"required": True, "schema": schema}}}
    done = check_response(tmp_path, response, b"", ("X-A", text), contract=contract)
    assert done.reason == reason, done.detail


def test_equal_header_names_form_one_list(tmp_path: Path) -> None:
    schema = {"type": "array", "minItems": 3, "items": {"type": "integer"}}
    response = {"headers": {"X-A": {"schema": schema}}}
    assert check_response(tmp_path, response, b"", ("X-A", "1"), ("X-A", "2, 3")).result == "passed"


def test_a_header_with_content_is_parsed_by_its_media_type(tmp_path: Path) -> None:
    response = {"headers": {"X-A": {"content": {"application/json": {"schema": STRICT}}}}}
    assert check_response(tmp_path, response, b"", ("X-A", '{"id": 1}')).result == "passed"
    assert check_response(tmp_path, response, b"", ("X-A", '{"id": "1"}')).reason == "schema"


def test_ignores_a_declared_content_type_header(tmp_path: Path) -> None:
    header = {"required": True, "schema": {"type": "integer"}}
    response = {"headers": {"content-type": header}, "content": {"text/plain": {}}}
    assert (
        check_response(tmp_path, response, b"a", ("Content-Type", "text/plain")).result == "passed"
    )


SECRET = {"type": "string", "writeOnly": True}
BASE = {"$ref": "#/components/schemas/B"}
HIDDEN: list[tuple[Document, Document]] = [
    ({"required": ["pw"], "properties": {"pw": SECRET}}, {}),
    ({"required": ["pw"], "properties": {"pw": {"$ref": "#/components/schemas/S"}}}, {"S": SECRET}),
    ({"allOf": [BASE, {"required": ["pw"]}]}, {"B": {"properties": {"pw": SECRET}}}),
    ({"required": ["pw"], "allOf": [BASE]}, {"B": {"properties": {"pw": SECRET}}}),
    ({"properties": {"pw": SECRET}, "oneOf": [{"required": ["pw"]}, {"required": ["key"]}]}, {}),
]  # fmt: skip


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(("schema", "schemas"), HIDDEN)
def test_responses_need_no_write_only_property(
    tmp_path: Path, schema: Document, schemas: Document, version: str
) -> None:
    whole = {"type": "object", **schema}
    assert check_json(tmp_path, whole, {}, version=version, schemas=schemas).result == "passed"
    shown = json.loads(json.dumps([whole, schemas]).replace("writeOnly", "readOnly"))
    done = check_json(tmp_path, shown[0], {}, version=version, schemas=shown[1])
    assert done.reason == "schema"


def test_a_property_named_like_a_keyword_is_no_keyword(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["required", "nullable", "writeOnly"],
        "properties": {"required": {"type": "boolean"}, "nullable": {"type": "string"}},
    }
    good = {"required": True, "nullable": "x", "writeOnly": 1}
    assert check_json(tmp_path, schema, good).result == "passed"
    assert check_json(tmp_path, schema, {**good, "nullable": None}).reason == "schema"


TO_N = {"$ref": "#/components/schemas/N"}
CLOSED = {"type": "object", "unevaluatedProperties": False}
RESOURCE = {"$id": "tree", "$defs": {"i": {"type": "integer"}}, "$ref": "#/$defs/i"}
NODE = {
    "type": "object",
    "required": ["v"],
    "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/components/schemas/N"}},
}
VARIANTS: Document = {
    "A": {"type": "object", "required": ["k", "a"], "properties": {"a": {"type": "integer"}}},
    "B": {"type": "object", "required": ["k", "b"], "properties": {"b": {"type": "integer"}}},
}
CHOICE = {
    "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
    "discriminator": {"propertyName": "k", "mapping": {"a": "#/components/schemas/A"}},
}


@pytest.mark.parametrize(
    ("version", "schema", "schemas", "value", "reason"),
    [
        ("3.0.3", {"type": "string", "nullable": True}, {}, None, ""),
        ("3.1.0", {"type": "string", "nullable": True}, {}, None, "schema"),
        ("3.1.0", {"type": ["string", "null"]}, {}, None, ""),
        ("3.0.3", {"type": "integer", "minimum": 5, "exclusiveMinimum": True}, {}, 5, "schema"),
        ("3.0.3", {"type": "integer", "minimum": 5, "exclusiveMinimum": False}, {}, 5, ""),
        ("3.1.0", {"type": "integer", "exclusiveMinimum": 5}, {}, 5, "schema"),
        ("3.1.0", {"const": 4}, {}, 5, "schema"),
        ("3.1.0", {"prefixItems": [{"type": "string"}], "items": False}, {}, ["a", 1], "schema"),
        ("3.2.0", {"if": {"type": "string"}, "then": {"minLength": 2}}, {}, "a", "schema"),
        ("3.0.3", {**TO_N, "maximum": 1}, {"N": {"type": "integer"}}, 5, ""),
        ("3.1.0", {**TO_N, "maximum": 1}, {"N": {"type": "integer"}}, 5, "schema"),
        ("3.0.3", TO_N, {"N": NODE}, {"v": 1, "next": {"v": 2}}, ""),
        ("3.0.3", TO_N, {"N": NODE}, {"v": 1, "next": {"v": "x"}}, "schema"),
        ("3.0.3", CHOICE, VARIANTS, {"k": "a", "a": 1}, ""),
        ("3.0.3", CHOICE, VARIANTS, {"k": "a", "b": "x"}, "schema"),
        ("3.1.0", {"$ref": "#n"}, {"N": {"$anchor": "n", "type": "integer"}}, "x", "schema"),
        ("3.1.0", {"$ref": "other"}, {"N": {"$id": "other", "type": "integer"}}, "x", "schema"),
        ("3.1.0", RESOURCE, {}, "x", "schema"),
        ("3.1.0", {"properties": {"a": True}, **CLOSED}, {}, {"b": 1}, "schema"),
        ("3.1.0", {"allOf": [TO_N], **CLOSED}, {"N": {"properties": {"a": True}}}, {"a": 1}, ""),
        ("3.0.3", {"type": "string", "pattern": "("}, {}, "x", "runner"),
        ("3.0.3", TO_N, {}, "x", "runner"),
        ("3.1.0", {"$ref": "#lost"}, {}, 1, "runner"),
    ],
)  # fmt: skip
def test_follows_the_schema_language_of_each_version(
    tmp_path: Path, version: str, schema: Document, schemas: Document, value: Any, reason: str
) -> None:
    done = check_json(tmp_path, schema, value, version=version, schemas=schemas)
    assert done.reason == reason, done.detail


def test_schemas_that_refer_to_each_other_in_a_circle_are_an_error(tmp_path: Path) -> None:
    circle = {
        "A": {"$ref": "#/components/schemas/B/properties/x"},
        "B": {"$ref": "#/components/schemas/A/properties/x"},
    }
    done = check_json(tmp_path, {"$ref": "#/components/schemas/A"}, 1, schemas=circle)
    assert (done.result, done.reason) == ("error", "runner")


def test_the_json_schema_dialect_of_a_contract_applies(tmp_path: Path) -> None:
    schema = {"type": "array", "items": [{"type": "string"}], "additionalItems": False}
    response = {"content": {"application/json": {"schema": schema}}}
    contract = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "http://json-schema.org/draft-07/schema#",
    }
    header = ("Content-Type", "application/json")
    assert (
        check_response(tmp_path, response, b'["a", 1]', header, contract=contract).reason
        == "schema"
    )


def test_a_request_without_a_content_type_has_the_contracts(tmp_path: Path) -> None:
    body: Document = {"content": {"text/csv": {}, "application/vnd.a+json": {}}}
    step = {"requestBody": {"payload": {"a": 1}}}
    file = write_call(tmp_path, {"requestBody": body}, step, method="post")
    request = call(file)[1][0]
    assert request.headers["content-type"] == "application/vnd.a+json"
    assert request.body == b'{"a": 1}'


def test_requests_need_no_read_only_property(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
    }
    body = {"content": {"application/json": {"schema": schema}}}
    operation = (
        load_journey("calls", write_call(tmp_path, {"requestBody": body})).steps[0].operation
    )
    assert list(operation.request_errors("application/json", {"name": "x"})) == []
    errors = list(operation.request_errors("application/json; charset=utf-8", {}))
    assert len(errors) == 1
    assert "name" in str(errors[0])
