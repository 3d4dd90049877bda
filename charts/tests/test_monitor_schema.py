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
COERCED = {  # numbers that the chart writes as strings
    ("inputs",): {"$ref": "#/definitions/stringMap"},
    ("slo", "objective", "type"): ["string", "number"],
}
TARGET = {"url": "https://shop.example"}
WINDOW = {"reason": "Backup", "schedule": "0 2 * * SUN", "duration": "2h"}
HOOK = {"name": "chat", "webhook": {"url": "https://hooks.example/x"}}
KEY = {"secretKeyRef": {"name": "proxy", "key": "url"}}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of the definition as a schema of values; rules of CEL are left out."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "number"]}
    found = {name: schema[name] for name in BOUNDS if name in schema}
    if "properties" in schema:
        found["properties"] = {n: described(part) for n, part in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = described(schema["additionalProperties"])
    if "items" in schema:
        found["items"] = described(schema["items"])
    return found


def differences(expected: Any, found: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Return the paths at which a schema lacks or changes what is expected."""
    if path in COERCED:
        return [] if found == COERCED[path] else ["/".join(path)]
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            place
            for name, part in expected.items()
            for place in differences(
                part, found.get(name), (*path, *([name] if name != "properties" else []))
            )
        ]
    return [] if expected == found else ["/".join(path)]


def values_schema() -> dict[str, Any]:
    """Return the schema of the values of one monitor."""
    schema = json.loads((CHARTS / "synthetic" / "values.schema.json").read_text())
    found: dict[str, Any] = schema["properties"]["monitors"]["additionalProperties"]
    return found


def test_the_schema_of_the_values_has_all_fields_and_bounds_of_the_definition() -> None:
    definition = yaml.safe_load((CHARTS / "synthetic" / "files" / "crd.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    expected = described(schema["properties"]["spec"])["properties"]
    found = values_schema()["properties"]
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
        ({"proxy": "http://proxy.example", "proxyFrom": KEY}, ""),
        ({"proxyFrom": {"secretKeyRef": {"name": "proxy"}}}, "/proxyFrom/secretKeyRef"),
        ({"schedule": "0 9 * * *", "interval": "5m"}, ""),
        ({"target": {"url": "https://ana:pw@shop.example"}}, "/target/url"),
        ({"target": {**TARGET, "service": {"name": "a", "port": 80}}}, "/target"),
        ({"target": {"service": {"name": "a"}}}, "/target/service"),
        ({"target": {"httproute": {"name": "a"}}}, "/target"),
        ({"servers": {"api": "shop.example"}}, "/servers/api"),
        ({"inputsFrom": [{"secretRef": {}}]}, "/inputsFrom/0/secretRef"),
        ({"maintenance": [{"reason": ""}]}, "/maintenance/0/reason"),
        ({"notify": [{"name": "chat"}]}, "/notify/0"),
        ({"history": {"failed": 51}}, "/history/failed"),
        ({"pod": {"labels": {"a": 1}}}, "/pod/labels/a"),
    ],
    ids=str,
)
def test_a_monitor_that_the_definition_rejects_is_named(
    all_helms: list[str], spec: dict[str, Any], place: str
) -> None:
    monitors = json.dumps({"m": {"journey": "own", **spec}})
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
    monitors = json.dumps({"m": {"journey": "own", **spec}})
    objects = render(helm, "synthetic", *options, f"monitors={monitors}")
    (written,) = [
        yaml.safe_load(item["data"]["m"])
        for item in objects
        if item["kind"] == "ConfigMap" and item["metadata"]["name"].endswith("-monitors")
    ]
    assert set(written) == {"journey", "target", *spec}
