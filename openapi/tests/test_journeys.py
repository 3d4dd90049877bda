"""Validation of the journeys against the Arazzo schemas of the OpenAPI Initiative."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.support.arazzo_schema import SCHEMAS, published_schema
from tests.support.synthetic.object_api import synthetic

JOURNEYS = sorted((Path(__file__).resolve().parents[1] / "journeys").glob("*.arazzo.yaml"))
Schemas = dict[str, jsonschema_rs.Draft202012Validator]


@pytest.fixture(scope="module", name="schemas")
def published_schemas() -> Schemas:
    """The schemas of Arazzo by version."""
    return {
        version: jsonschema_rs.Draft202012Validator(published_schema(version))
        for version in SCHEMAS
    }


def read(path: Path) -> Any:
    """Return the parsed journey."""
    return yaml.safe_load(path.read_text())


def test_there_are_journeys() -> None:
    assert len(JOURNEYS) >= 8


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.name)
def test_journeys_match_the_arazzo_schema(schemas: Schemas, path: Path) -> None:
    journey = read(path)
    validator = schemas[journey["arazzo"][:3]]
    assert [
        f"{error.instance_path}: {error.message}" for error in validator.iter_errors(journey)
    ] == []


@pytest.mark.parametrize("name", ["auth", "clients", "products", "inventory"])
def test_newly_written_journeys_match_the_arazzo_schema(schemas: Schemas, name: str) -> None:
    contract = JOURNEYS[0].parents[1] / f"{name}.yaml"
    for version in ("1.0.1", "1.1.0"):
        done = synthetic("new", contract, "--version", version)
        schemas[version[:3]].validate(yaml.safe_load(done.stdout))


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


@pytest.mark.parametrize("name", ["login", "inventory-purchase"])  # of 1.0 and of 1.1
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
def test_the_arazzo_schemas_reject_invalid_journeys(
    schemas: Schemas, invalidate: Any, name: str
) -> None:
    journey = read(next(path for path in JOURNEYS if path.name.startswith(name)))
    schema = schemas[journey["arazzo"][:3]]
    journey["workflows"][0]["steps"].reverse()  # a step with parameters first
    assert schema.is_valid(journey)
    invalidate(journey)
    assert not schema.is_valid(journey)
