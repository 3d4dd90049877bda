"""Schemas of the contracts: descriptions, bounds and examples."""

import re

import jsonschema_rs
import pytest

from tests.support.openapi.contract_parts import PROBLEM, Node, examples, schema_holders, schemas

OPEN = "application/x-www-form-urlencoded"  # bodies that may have more fields


def test_parameters_headers_and_bodies_have_examples(contract: Node) -> None:
    assert [where for where, carrier in schema_holders(contract) if not examples(carrier)] == []


def test_schemas_have_a_description_and_an_example(contract: Node) -> None:
    bare = {where for where, s in schemas(contract) if not s.get("description")}
    bare |= {where for where, s in schemas(contract) if "example" not in s}
    assert sorted(bare) == []


def test_examples_match_their_schemas(contract: Node) -> None:
    holders = [(where, carrier["schema"], carrier) for where, carrier in schema_holders(contract)]
    holders += [(where, schema, schema) for where, schema in schemas(contract)]
    for where, schema, holder in holders:
        validator = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
        for example in examples(holder):
            assert validator.is_valid(example), f"{where}: {example}"


def test_error_examples_have_the_status_of_their_response(contract: Node) -> None:
    for where, carrier in schema_holders(contract):
        if where.endswith(PROBLEM):
            statuses = {str(example["status"]) for example in examples(carrier)}
            assert statuses == {where.split()[1]}, where


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        ("integer", {"minimum", "maximum"}),
        ("number", {"minimum", "maximum"}),
        ("string", {"maxLength"}),
        ("array", {"maxItems", "items"}),
        ("object", {"properties", "required"}),
    ],
)
def test_values_have_bounds(contract: Node, kind: str, bounds: set[str]) -> None:
    found = [(where, s) for where, s in schemas(contract) if s.get("type") == kind]
    assert [where for where, s in found if not bounds <= s.keys() and "enum" not in s] == []


def test_schemas_have_a_type(contract: Node) -> None:
    untyped = [(where, s) for where, s in schemas(contract) if "type" not in s]
    assert [where for where, s in untyped if "anyOf" not in s] == []


def test_objects_are_closed(contract: Node) -> None:
    found = [(where, s) for where, s in schemas(contract) if s.get("type") == "object"]
    opened = [where for where, s in found if s.get("additionalProperties") is not False]
    assert [where for where in opened if OPEN not in where] == []  # RFC 6749 ignores unknown fields


def test_patterns_are_anchored_and_ascii_only(contract: Node) -> None:
    patterns = {s["pattern"] for _, s in schemas(contract) if "pattern" in s}
    assert [p for p in patterns if not (p.startswith("^") and p.endswith("$"))] == []
    assert [p for p in patterns if re.search(r"\\[dwsDWS]", p)] == []
