"""Wrong specs and documents: the message names the field or the line, and the fix.

`tests/operator/validation.py` applies the same list to a real API server.
"""

import functools
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft4Validator

from scripts.charts.rendering import CHARTS
from synthetic.operator.conditions import condition
from synthetic.operator.resources import MAINTENANCE_KIND
from tests.support.synthetic.fake_cluster import ObjectPath
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness
from tests.support.synthetic.wrong_specs import WRONG_SPECS, WrongSpec, resource_of

FAKED = [each for each in WRONG_SPECS if not each.needs]
FILES = {"SyntheticMonitor": "crd.yaml", MAINTENANCE_KIND: "maintenance-crd.yaml"}


def chosen(*by: str) -> list[Any]:
    """Return the cases that a part of the API server refuses, or those of the operator."""
    found = (each for each in FAKED if each.by in by or not (by or each.is_refused))
    return [pytest.param(each, id=each.name) for each in found]


@functools.cache
def schema(kind: str) -> Any:
    """Return the schema of the definition of a kind."""
    text = (CHARTS / "synthetic" / "files" / FILES[kind]).read_text()
    definition = yaml.load(text, Loader=yaml.CSafeLoader)
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def messages(part: Any) -> list[str]:
    """Return the messages of all rules of a schema."""
    if isinstance(part, list):
        return [message for each in part for message in messages(each)]
    if not isinstance(part, dict):
        return []
    own = [rule["message"] for rule in part.get("x-kubernetes-validations", [])]
    return own + [message for each in part.values() for message in messages(each)]


def test_the_list_has_many_kinds() -> None:
    assert len({each.name for each in WRONG_SPECS}) == len(WRONG_SPECS) >= 50


@pytest.mark.parametrize("wrong", chosen("schema"))
def test_the_schema_of_the_definition_refuses(wrong: WrongSpec) -> None:
    validator = Draft4Validator(schema(wrong.item["kind"]), validate_formats=True)
    assert not validator.is_valid(wrong.item)


@pytest.mark.parametrize("wrong", chosen("rule"))
def test_a_rule_of_the_definition_has_the_fix(wrong: WrongSpec) -> None:
    definition = schema(wrong.item["kind"])
    assert Draft4Validator(definition).is_valid(wrong.item)
    assert any(wrong.fix in message for message in messages(definition))


@pytest.mark.anyio
@pytest.mark.parametrize("wrong", chosen())
async def test_the_operator_names_the_place_and_the_fix(
    harness: OperatorHarness, wrong: WrongSpec
) -> None:
    for each in (*wrong.related, wrong.item):
        scope = "" if each["kind"] == MAINTENANCE_KIND else NAMESPACE
        each["metadata"] |= {"namespace": scope} if scope else {}
        path = ObjectPath.of(resource_of(each).path(scope))
        harness.cluster.create(path, each)
    if wrong.answer:
        harness.cluster.fail("POST", "*/cronjobs", 422, message=wrong.answer)
    reconcile = harness.reconcile_maintenance if wrong.maintenance else harness.reconcile
    await reconcile(wrong.name)
    stored = harness.cluster.get(ObjectPath.of(resource_of(each).path(scope, wrong.name)))
    ready = condition(stored["status"], "Ready")
    assert ready["status"] == "False"
    assert wrong.complaint(ready["reason"], ready["message"]) == ""
    assert harness.cluster.list_kind("cronjobs") == []
    assert harness.events() == ([] if wrong.maintenance else [wrong.by])
