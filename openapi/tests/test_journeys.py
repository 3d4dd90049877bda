"""The journeys that ship are Arazzo, by the schema that the OpenAPI Initiative publishes."""

from importlib.metadata import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

JOURNEYS = sorted((Path(__file__).resolve().parents[1] / "journeys").glob("*.arazzo.yaml"))
OFFICIAL = "https://spec.openapis.org/arazzo/1.0/schema/2024-08-01"  # Apache-2.0
WHEEL = "arazzo-generator"  # it carries the schema, whole; nothing else of it is used


@pytest.fixture(scope="module")
def official() -> jsonschema_rs.Draft202012Validator:
    """The schema, out of a wheel that the lock pins."""
    (found,) = [path for path in files(WHEEL) or [] if path.name == "arazzo-schema.yaml"]
    schema = yaml.safe_load(found.read_text(encoding="utf-8"))
    assert schema["$id"] == OFFICIAL
    return jsonschema_rs.Draft202012Validator(schema)


def read(path: Path) -> Any:
    """Return what a journey's file holds."""
    return yaml.safe_load(path.read_text())


def test_there_are_journeys() -> None:
    assert len(JOURNEYS) >= 8


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.name)
def test_a_journey_is_valid(official: jsonschema_rs.Draft202012Validator, path: Path) -> None:
    assert [
        f"{error.instance_path}: {error.message}" for error in official.iter_errors(read(path))
    ] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda journey: journey.pop("sourceDescriptions"),
        lambda journey: journey.update(arazzo="2.0.0"),
        lambda journey: journey["workflows"][0]["steps"][0].update(unheard="of"),
        lambda journey: journey["workflows"][0]["steps"][0]["parameters"][0].pop("value"),
        lambda journey: journey["workflows"][0]["steps"][0]["successCriteria"][0].pop("condition"),
    ],
)
def test_what_is_no_arazzo_is_refused(
    official: jsonschema_rs.Draft202012Validator, spoil: Any
) -> None:
    journey = read(next(path for path in JOURNEYS if path.name.startswith("login")))
    journey["workflows"][0]["steps"].reverse()  # the step with parameters first
    assert official.is_valid(journey)
    spoil(journey)
    assert not official.is_valid(journey)
