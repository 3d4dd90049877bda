"""Checks of rendered objects that every set of values must pass."""

import functools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jsonschema_rs

from scripts.charts.rendering import of_kind, pod_specs

SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.34.0-local-strict"

CUSTOM_KINDS = {"HTTPRoute", "PodMonitor", "PrometheusRule", "ServiceMonitor"}  # without a schema
CLUSTER_SCOPED = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DNS_SUBDOMAIN = re.compile(rf"{DNS_LABEL.pattern}(\.{DNS_LABEL.pattern})*")
SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
RULE_LABELS = ".rules[].labels"  # of alerts, whose values may be templates
MAX_NAME_LENGTHS = {"CronJob": 52, "ConfigMap": 253, "Secret": 253}


def check_manifests(objects: list[dict[str, Any]]) -> None:
    """Check schemas, names, labels and references, and that nothing is null or an empty list."""
    for item in objects:
        if item["kind"] == "CustomResourceDefinition":
            continue
        check_schema(item)
        _check_name(item)
        for path, value in _walk(item):
            assert value is not None, f"{item['kind']}{path} is null"
            assert value != [], f"{item['kind']}{path} is empty"
            if path.endswith((".labels", ".matchLabels")) and not path.endswith(RULE_LABELS):
                _check_labels(value)
    _check_references(objects)


def check_schema(item: dict[str, Any]) -> None:
    """Check an object against the strict schema of its kind, if Kubernetes has one."""
    if item["kind"] not in CUSTOM_KINDS:
        _validator(item["kind"], item["apiVersion"]).validate(item)


@functools.cache
def _validator(kind: str, api_version: str) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a kind. kubernetes-validate would parse the schemas at each call."""
    group, _, version = api_version.rpartition("/")
    name = "-".join([kind.lower(), *([group.partition(".")[0]] if group else []), version])
    schema, definitions = (
        json.loads((SCHEMAS / f"{one}.json").read_text().replace('"_definitions.json#', '"#'))
        for one in (name, "_definitions")
    )
    return jsonschema_rs.Draft202012Validator({**schema, **definitions})


def _check_name(item: dict[str, Any]) -> None:
    name, kind = item["metadata"]["name"], item["kind"]
    assert isinstance(name, str), f"{kind}: {name!r}"
    assert len(name) <= MAX_NAME_LENGTHS.get(kind, 63), f"{kind}: {name}"
    assert (SERVICE_NAME if kind == "Service" else DNS_SUBDOMAIN).fullmatch(name), f"{kind}: {name}"
    assert ("namespace" in item["metadata"]) == (kind not in CLUSTER_SCOPED), f"{kind}: {name}"


def _check_labels(labels: dict[str, Any]) -> None:
    for label, value in labels.items():
        assert isinstance(value, str), f"{label}: {value!r}"
        assert len(value) <= 63, f"{label}: {value}"
        assert LABEL_VALUE.fullmatch(value), f"{label}: {value}"


def _check_references(objects: list[dict[str, Any]]) -> None:
    """Check that hosts, backends and names in pods are those of rendered objects."""
    names = {kind: set(of_kind(objects, kind)) for kind in ("Service", "ServiceAccount", "Secret")}
    for item in objects:
        for path, value in _walk(item):
            if path.endswith((".backend.service.name", ".backendRefs[].name", ".serviceName")):
                assert value in names["Service"], f"{item['kind']}{path}: {value}"
    for name, pod in pod_specs(objects):
        account = pod.get("serviceAccountName")
        assert account is None or account in names["ServiceAccount"], name
    for secret in of_kind(objects, "Secret").values():
        url = secret.get("stringData", {}).get("DATABASE_URL")
        assert url is None or re.split("[@:/]+", url)[3] in names["Service"], url


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value in an object with its path."""
    yield path, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _walk(one, f"{path}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one, f"{path}[]")
