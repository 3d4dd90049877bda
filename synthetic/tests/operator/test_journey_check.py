"""A custom journey is checked before its monitor is scheduled."""

import base64
import os
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from typing import Any

import pytest

import synthetic
from synthetic.operator import journey_check
from synthetic.operator.conditions import condition
from synthetic.operator.resources import CONFIG_MAPS
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

CONTRACT = """
openapi: 3.1.0
info: {title: Cafe, version: "1"}
paths:
  /menu:
    get:
      operationId: listMenu
      responses: {"200": {description: the menu}}
"""
JOURNEY = """
arazzo: 1.0.1
info: {title: Cafe, version: "1"}
sourceDescriptions: [{name: cafe, url: cafe.yaml, type: openapi}]
workflows:
  - workflowId: menu
    steps: [{stepId: list, operationId: listMenu}]
  - workflowId: broken
    steps: [{stepId: list, operationId: listMeals}]
"""
FILES = {"own.yaml": JOURNEY, "cafe.yaml": CONTRACT}
OWN: dict[str, Any] = {
    "journey": "menu",
    "journeyFrom": {"configMapKeyRef": {"name": "own", "key": "own.yaml"}},
}


def add_files(harness: OperatorHarness, files: dict[str, str]) -> dict[str, Any]:
    """Create the ConfigMap of the journey."""
    metadata = {"name": "own", "namespace": NAMESPACE}
    return harness.add(CONFIG_MAPS, {"metadata": metadata, "data": files})


def ready_message(harness: OperatorHarness) -> str:
    """Return the message of the condition Ready."""
    return str(condition(harness.status, "Ready")["message"])


async def test_a_valid_custom_journey_is_scheduled(harness: OperatorHarness) -> None:
    add_files(harness, FILES)
    harness.add_monitor(**OWN)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.parametrize("files", [None, {"cafe.yaml": CONTRACT}])
async def test_a_missing_journey_is_scheduled_once_it_exists(
    harness: OperatorHarness, files: dict[str, str] | None
) -> None:
    if files is not None:
        add_files(harness, files)
    harness.add_monitor(**OWN)
    assert await harness.reconcile()
    assert harness.ready() == ("False", "NoJourney")
    assert "own" in ready_message(harness)
    if files is not None:
        harness.delete(CONFIG_MAPS, "own")
    add_files(harness, FILES)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_a_change_of_the_journey_is_checked_and_each_version_only_once(
    harness: OperatorHarness,
) -> None:
    config_map = add_files(harness, FILES)
    harness.add_monitor(**OWN)
    reconciler = await harness.reconciler()
    read = ("GET", CONFIG_MAPS.path(NAMESPACE, "own"))
    for _ in range(2):
        await reconciler.reconcile((NAMESPACE, "shop"))
    first_reads = harness.cluster.requests.count(read)
    assert first_reads == 3  # the content once, the version twice
    broken = {**config_map, "data": {**FILES, "own.yaml": JOURNEY.replace("listMenu", "listAll")}}
    harness.change(CONFIG_MAPS, broken)
    await reconciler.reconcile((NAMESPACE, "shop"))
    assert harness.ready() == ("False", "JourneyInvalid")
    harness.change(CONFIG_MAPS, config_map)
    await reconciler.reconcile((NAMESPACE, "shop"))
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.parametrize(
    ("spec", "ready"),
    [
        ({}, ("False", "JourneyInvalid")),
        ({"inputs": {"table": "4"}}, ("True", "Scheduled")),
        ({"inputs": {"table": "a\0b"}}, ("False", "JourneyInvalid")),
        ({"inputsFrom": [{"secretRef": {"name": "later"}}]}, ("True", "Scheduled")),
    ],
    ids=["missing", "given", "no-number", "perhaps-of-a-secret"],
)
async def test_a_required_input_is_given_or_may_be_in_a_secret(
    harness: OperatorHarness, spec: dict[str, Any], ready: tuple[str, str]
) -> None:
    inputs = "inputs: {type: object, properties: {table: {type: number}}, required: [table]}"
    menu = JOURNEY.replace("workflowId: menu", f"workflowId: menu\n    {inputs}")
    add_files(harness, {**FILES, "own.yaml": menu})
    harness.add_monitor(**OWN, **spec)
    await harness.reconcile()
    assert harness.ready() == ready


async def test_binary_data_is_read_too(harness: OperatorHarness) -> None:
    metadata = {"name": "own", "namespace": NAMESPACE}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in FILES.items()}
    harness.add(CONFIG_MAPS, {"metadata": metadata, "binaryData": encoded})
    harness.add_monitor(**OWN)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_a_contract_at_a_url_is_left_to_the_probe(harness: OperatorHarness) -> None:
    remote = JOURNEY.replace("url: cafe.yaml", "url: https://cafe.example/openapi.yaml")
    add_files(harness, {"own.yaml": remote})
    harness.add_monitor(**OWN)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_a_journey_is_checked_by_a_package_on_the_python_path(
    harness: OperatorHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The image has the package on PYTHONPATH alone; no key of a ConfigMap replaces it."""
    venv.create(tmp_path, symlinks=True)
    places = [synthetic.__path__[0] + "/..", sysconfig.get_path("purelib")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(places))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    add_files(harness, FILES | {"yaml.py": "raise SystemExit(1)"})
    harness.add_monitor(**OWN)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [("CHECK_SECONDS", 0.0, "within 0 s"), ("MEMORY_BYTES", 1024**2, "and 1 MiB")],
)
async def test_a_document_beyond_the_limits_of_a_check_is_invalid(
    harness: OperatorHarness,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    limit: str,
    value: float,
    message: str,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(journey_check, limit, value)
    add_files(harness, FILES)
    harness.add_monitor(**OWN)
    await harness.reconcile()
    assert harness.ready() == ("False", "JourneyInvalid")
    assert message in ready_message(harness)
    assert list(temporary.iterdir()) == []
