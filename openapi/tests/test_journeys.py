"""Validation of the journeys against the Arazzo schema of the OpenAPI Initiative."""

from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.support.synthetic.object_api import synthetic

JOURNEYS = sorted((Path(__file__).resolve().parents[1] / "journeys").glob("*.arazzo.yaml"))
SCHEMA_ID = "https://spec.openapis.org/arazzo/1.0/schema/2024-08-01"  # Apache-2.0
WHEEL = "arazzo-generator"  # used only for the schema that it contains


def published_schema() -> Any:
    """Return the schema of Arazzo 1.0 from a pinned wheel."""
    (found,) = [path for path in files(WHEEL) or [] if path.name == "arazzo-schema.yaml"]
    document = yaml.safe_load(found.read_text(encoding="utf-8"))
    assert document["$id"] == SCHEMA_ID
    return document


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Draft202012Validator:
    """The schema of Arazzo 1.0."""
    return jsonschema_rs.Draft202012Validator(published_schema())


@pytest.fixture(scope="module")
def schema_of_1_1() -> jsonschema_rs.Draft202012Validator:
    """The schema of Arazzo 1.0 for documents of 1.1, whose schema no package contains.

    The journeys use nothing that 1.1 has changed, except that a retry need not name a step.
    """
    document = published_schema()
    document["properties"]["arazzo"]["pattern"] = r"^1\.1\.\d+$"
    return jsonschema_rs.Draft202012Validator(document)


def read(path: Path) -> Any:
    """Return the parsed journey."""
    return yaml.safe_load(path.read_text())


def test_there_are_journeys() -> None:
    assert len(JOURNEYS) >= 8


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.name)
def test_journeys_match_the_arazzo_schema(
    schema: jsonschema_rs.Draft202012Validator,
    schema_of_1_1: jsonschema_rs.Draft202012Validator,
    path: Path,
) -> None:
    journey = read(path)
    validator = schema_of_1_1 if journey["arazzo"].startswith("1.1") else schema
    assert [
        f"{error.instance_path}: {error.message}" for error in validator.iter_errors(journey)
    ] == []


@pytest.mark.parametrize("name", ["auth", "clients", "products", "inventory"])
def test_newly_written_journeys_match_the_arazzo_schema(
    schema: jsonschema_rs.Draft202012Validator,
    schema_of_1_1: jsonschema_rs.Draft202012Validator,
    name: str,
) -> None:
    contract = JOURNEYS[0].parents[1] / f"{name}.yaml"
    for version, validator in (("1.0.1", schema), ("1.1.0", schema_of_1_1)):
        done = synthetic("new", contract, "--version", version)
        validator.validate(yaml.safe_load(done.stdout))


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a document."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from nodes(item)


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.name)
def test_journeys_avoid_what_runners_understand_differently(path: Path) -> None:
    for node in nodes(read(path)):
        assert node.get("type") != "retry" or "stepId" not in node, "the step would run twice"
        assert "operationId" not in node, "some runners split operationIds at every dot"
        assert "inputs" not in node or "x-generate" not in str(node["inputs"]), (
            "no keyword of JSON Schema"
        )
        assert node.get("type") != "jsonpath", "some runners put the body into an array first"
        condition = str(node.get("condition", ""))
        assert "null" not in condition, "a condition over an undefined value fails"
        assert node.get("type") != "regex" or node["context"] != "$response.body", "it is no text"


@pytest.mark.parametrize(
    "invalidate",
    [
        lambda journey: journey.pop("sourceDescriptions"),
        lambda journey: journey.update(arazzo="2.0.0"),
        lambda journey: journey["workflows"][0]["steps"][0].update(unheard="of"),
        lambda journey: journey["workflows"][0]["steps"][0]["parameters"][0].pop("value"),
        lambda journey: journey["workflows"][0]["steps"][0]["successCriteria"][0].pop("condition"),
    ],
)
def test_the_arazzo_schema_rejects_invalid_journeys(
    schema: jsonschema_rs.Draft202012Validator, invalidate: Any
) -> None:
    journey = read(next(path for path in JOURNEYS if path.name.startswith("login")))
    journey["workflows"][0]["steps"].reverse()  # the step with parameters first
    assert schema.is_valid(journey)
    invalidate(journey)
    assert not schema.is_valid(journey)
