"""Description, schema and effect of every chart value."""

import functools
import json
from typing import Any

import pytest

from devstack.service_catalog import SERVICES
from scripts.charts.chart_docs import Value, documented_values
from scripts.charts.rendering import CHARTS, HelmError, render_text, standalone_options
from tests.support.chart_value_effects import (
    EFFECTS,
    OWN_VALUES,
    PREREQUISITES,
    REJECTIONS,
    REQUIRED_OPTIONS,
    SERVICE_VALUES,
)

TEMPLATE_SERVICE = "clients"  # the others have the shared values from the same library chart
OTHER_SERVICES = sorted(set(SERVICES) - {TEMPLATE_SERVICE})
CASES = [
    (chart, path, *effect)
    for chart in EFFECTS
    for path, effect in (OWN_VALUES if chart in OTHER_SERVICES else EFFECTS)[chart].items()
]
APART = {"image.repository", "replicas"}  # they exclude image.registry and autoscaling
CHARTS_WITH_VALUES = sorted(path.parent.name for path in CHARTS.glob("*/values.yaml"))


@functools.cache
def values(chart: str) -> list[Value]:
    """Return the values of a chart; raises ``DocsError`` if one has no description."""
    return documented_values(CHARTS / chart)


@functools.cache
def render_defaults(helm: str, chart: str) -> str:
    """Return the manifests of a chart with only its required options."""
    return render_text(helm, chart, *REQUIRED_OPTIONS[chart])


def render_with(helm: str, chart: str, given: dict[str, Any]) -> str:
    """Return the manifests of a chart with values and their prerequisites."""
    needed = [PREREQUISITES[s] for s in PREREQUISITES if any(path.startswith(s) for path in given)]
    values = {name: value for each in needed for name, value in each.items()} | given
    settings = [
        option
        for name, value in values.items()
        for option in ("--set-json", f"{name}={json.dumps(value)}")
    ]
    return render_text(helm, chart, *REQUIRED_OPTIONS[chart], *settings)


@pytest.mark.parametrize("chart", CHARTS_WITH_VALUES)
def test_every_value_is_documented_and_in_the_schema(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    for value in values(chart):
        at: dict[str, Any] = schema
        for name in value.path.split("."):
            is_open = value.path.startswith("global.") and at is not schema  # parents have others
            assert is_open or at.get("additionalProperties") is False, (
                f"{value.path}: arbitrary keys are accepted"
            )
            at = resolve(schema, at["properties"][name])


def resolve(schema: dict[str, Any], at: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a subschema refers to, or the subschema itself."""
    found: dict[str, Any] = schema["definitions"].get(at.get("$ref", "").rpartition("/")[2], at)
    return found


@pytest.mark.parametrize("chart", CHARTS_WITH_VALUES)
def test_every_value_has_a_test(chart: str) -> None:
    paths = {value.path for value in values(chart)}
    assert paths - REJECTIONS.keys() == EFFECTS[chart].keys()


@pytest.mark.parametrize(("chart", "path", "value", "expected"), CASES)
def test_each_value_changes_the_manifests(
    helm: str, chart: str, path: str, value: Any, expected: str
) -> None:
    made, before = render_with(helm, chart, {path: value}), render_defaults(helm, chart)
    if expected.startswith("!"):
        made, before, expected = before, made, expected[1:]
    assert expected in made
    assert expected not in before


@pytest.mark.parametrize("chart", OTHER_SERVICES)
def test_each_shared_value_changes_the_manifests_of_every_service(helm: str, chart: str) -> None:
    before = render_defaults(helm, chart)
    for paths in (SERVICE_VALUES.keys() - APART, APART):
        made = render_with(helm, chart, {path: SERVICE_VALUES[path][0] for path in sorted(paths)})
        for path in paths:
            assert SERVICE_VALUES[path][1] in made, path
            assert SERVICE_VALUES[path][1] not in before, path


def test_install_fails_above_the_connection_limit(helm: str) -> None:
    def rendered(allowed: int) -> str:
        setting = f"database.maxConnections={allowed}"
        return render_text(helm, "clients", *standalone_options("clients"), "--set", setting)

    # (2 replicas + 1 surge pod) x 1 worker x 4 threads + 2 relays x 2 + 3 jobs = 19, at most 80 %
    assert "kind: Deployment" in rendered(24)
    with pytest.raises(
        HelmError, match=r"19 connections.*clients's database\.maxConnections \(23\)"
    ):
        rendered(23)


@pytest.mark.parametrize("removal", ["auth-login=null", "auth-login.enabled=false"])
def test_a_monitor_can_be_removed(helm: str, removal: str) -> None:
    left = render_text(helm, "cadastro", "--set-json", f"synthetic.monitors.{removal}")
    assert "auth-login: |" in render_defaults(helm, "cadastro")
    assert "auth-login: |" not in left
    assert "clients-crud: |" in left


def test_shared_values_have_the_same_descriptions_and_schemas() -> None:
    def shared(chart: str) -> dict[str, tuple[str, Any]]:
        schema = json.loads((CHARTS / chart / "values.schema.json").read_text())["properties"]
        own = {"threads", "peers.auth", *OWN_VALUES[chart]}
        for path in own:
            section, _, name = path.partition(".")
            schema.get(section, {}).get("properties", {}).pop(name, None)
        return {
            value.path: (value.description, schema[value.path.partition(".")[0]])
            for value in values(chart)
            if value.path not in own
        }

    assert all(shared(chart) == shared("auth") for chart in SERVICES)
