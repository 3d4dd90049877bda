"""Metadata of the charts for registries such as Artifact Hub."""

from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator

from scripts.charts.rendering import CHARTS

CHART_FILES = sorted(CHARTS.glob("*/Chart.yaml"))
PREFIX = "artifacthub.io/"


def annotation(name: str) -> list[dict[str, Any]]:
    """Return the list in an annotation of the chart of the monitors."""
    chart = yaml.safe_load((CHARTS / "synthetic" / "Chart.yaml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = yaml.safe_load(chart["annotations"][f"{PREFIX}{name}"])
    return found


def definitions() -> dict[str, dict[str, Any]]:
    """Return the CustomResourceDefinitions by kind."""
    files = sorted((CHARTS / "synthetic" / "files").glob("*crd.yaml"))
    loaded = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return {each["spec"]["names"]["kind"]: each for each in loaded}


@pytest.mark.parametrize("file", CHART_FILES, ids=lambda file: file.parent.name)
def test_a_chart_that_installs_names_license_and_maintainers(file: Any) -> None:
    chart = yaml.safe_load(file.read_text(encoding="utf-8"))
    if chart["type"] == "application":
        assert chart["annotations"][f"{PREFIX}license"] == "Apache-2.0"
        assert chart["maintainers"]
        assert chart["keywords"]


def test_the_listed_resources_are_those_that_the_chart_defines() -> None:
    listed = {(each["kind"], each["name"], each["version"]) for each in annotation("crds")}
    assert listed == {
        (kind, crd["metadata"]["name"], crd["spec"]["versions"][0]["name"])
        for kind, crd in definitions().items()
    }


def test_there_is_a_valid_example_of_each_resource() -> None:
    examples = {each["kind"]: each for each in annotation("crdsExamples")}
    assert examples.keys() == definitions().keys()
    for kind, crd in definitions().items():
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        Draft202012Validator(schema).validate(examples[kind])
