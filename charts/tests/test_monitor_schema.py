"""Schema of the values of monitors: that of their definition, so that Helm reports mistakes."""

import json
from typing import Any

import pytest
import yaml

from scripts.charts.rendering import CHARTS, HelmError, render

BOUNDS = (
    *("type", "required", "pattern", "minLength", "maxLength", "minimum", "maximum", "enum"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
)
PATTERN_OF_RULE = {"pattern"}  # rules of CEL; test_monitor_rules.py has their examples
OF_THE_CHART = {"enabled", "credentials"}
COERCED = {  # numbers that the chart writes as strings, and fields that null removes
    ("interval", "enum"): ["1m", "2m", "5m", "10m", "15m", "30m", "1h", None],
    ("schedule", "type"): ["string", "null"],
    ("timeZone", "type"): ["string", "null"],
    ("inputs",): {"$ref": "#/definitions/stringMap"},
    ("slo", "objective", "type"): ["string", "number"],
}
WINDOW = {"reason": "Backup", "schedule": "0 2 * * SUN", "duration": "2h"}
HOOK = {"name": "chat", "webhook": {"url": "https://hooks.example/x"}}
KEY = {"secretKeyRef": {"name": "proxy", "key": "url"}}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of the definition as a schema of values; rules of CEL are left out."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "number"]}
    found = {name: schema[name] for name in BOUNDS if name in schema}
    if schema.get("format") == "date-time":
        found["format"] = "date-time"
    if schema.get("x-kubernetes-list-type") == "set":
        found["uniqueItems"] = True
    if "properties" in schema:
        found["properties"] = {n: described(part) for n, part in schema["properties"].items()}
        found["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = described(schema["additionalProperties"])
    if "items" in schema:
        found["items"] = described(schema["items"])
    return found


def differences(expected: Any, found: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Return the paths at which two schemas differ; patterns may be added for rules of CEL."""
    if path in COERCED:
        return [] if found == COERCED[path] else ["/".join(path)]
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return [] if expected == found else ["/".join(path)]
    names = [*expected, *(found.keys() - expected.keys() - PATTERN_OF_RULE)]
    return [
        place
        for name in names
        for place in differences(
            expected.get(name),
            found.get(name),
            (*path, *([name] if name != "properties" else [])),
        )
    ]


def values_schema() -> dict[str, Any]:
    """Return the schema of the values of one monitor."""
    schema = json.loads((CHARTS / "synthetic" / "values.schema.json").read_text())
    found: dict[str, Any] = schema["properties"]["monitors"]["additionalProperties"]
    return found


def test_the_schema_of_the_values_is_that_of_the_definition() -> None:
    definition = yaml.safe_load((CHARTS / "synthetic" / "files" / "crd.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    expected = described(schema["properties"]["spec"])["properties"]
    found = {n: p for n, p in values_schema()["properties"].items() if n not in OF_THE_CHART}
    assert differences(without_enum_types(expected), without_enum_types(found)) == []


def without_enum_types(schema: Any) -> Any:
    """Return a schema without the types of its enumerations."""
    if not isinstance(schema, dict):
        return schema
    kept = {name: without_enum_types(part) for name, part in schema.items()}
    return {n: part for n, part in kept.items() if n != "type" or "enum" not in schema}


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"followRedirects": 21}, "/followRedirects"),
        ({"proxy": "http://ana:pw@proxy.example"}, "/proxy"),
        ({"proxy": "https://proxy.example"}, "/proxy"),
        ({"proxyFrom": {"secretKeyRef": {"name": "proxy"}}}, "/proxyFrom/secretKeyRef"),
        ({"target": {"url": "https://ana:pw@shop.example"}}, "/target/url"),
        ({"target": {"service": {"name": "a"}}}, "/target/service"),
        ({"target": {"httproute": {"name": "a"}}}, "/target"),
        ({"servers": {"api": "shop.example"}}, "/servers/api"),
        ({"inputsFrom": [{"secretRef": {}}]}, "/inputsFrom/0/secretRef"),
        ({"maintenance": [{"reason": ""}]}, "/maintenance/0/reason"),
        ({"notify": [{"apprise": {}}]}, "/notify/0"),
        ({"history": {"failed": 51}}, "/history/failed"),
        ({"pod": {"labels": {"a": 1}}}, "/pod/labels/a"),
    ],
    ids=str,
)
def test_a_monitor_that_the_definition_rejects_is_named(
    all_helms: list[str], spec: dict[str, Any], place: str
) -> None:
    monitors = json.dumps({"m": {"journey": "own", "interval": "5m", **spec}})
    for helm in all_helms:
        with pytest.raises(HelmError, match=f"/monitors/m{place}'"):
            render(helm, "synthetic", "--set-json", f"monitors={monitors}")


@pytest.mark.parametrize(
    "spec",
    [
        {"maintenance": [WINDOW]},
        {"maintenance": []},
        {"notify": [HOOK]},
        {"target": {}},
        {"slo": {"objective": 99.5}},
        {"inputs": {"count": 3}},
        {"resources": {"requests": {"cpu": 1}}},
        {"proxyFrom": KEY, "followRedirects": 20, "servers": {"api": "http://[::1]:8080/v1"}},
    ],
    ids=str,
)
def test_a_monitor_that_the_definition_admits_is_in_the_config_map(
    helm: str, spec: dict[str, Any]
) -> None:
    options = ("--set", "target.url=https://shop.example", "--set-json")
    monitors = json.dumps({"m": {"journey": "own", "interval": "5m", **spec}})
    objects = render(helm, "synthetic", *options, f"monitors={monitors}")
    (written,) = [
        yaml.safe_load(item["data"]["m"])
        for item in objects
        if item["kind"] == "ConfigMap" and item["metadata"]["name"].endswith("-monitors")
    ]
    assert set(written) == {"journey", "interval", "target", *spec}
