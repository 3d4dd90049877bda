"""Wrong specs and documents of `wrong_specs.yaml`, as objects of Kubernetes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from synthetic.operator.resources import (
    CONFIG_MAPS,
    GATEWAYS,
    HTTP_ROUTES,
    INGRESSES,
    KIND,
    MAINTENANCE_KIND,
    MAINTENANCES,
    MONITORS,
    SECRETS,
    Object,
    Resource,
)
from synthetic.operator.run_requests import RUN_REQUESTED_ANNOTATION
from tests.support.synthetic.checked_document import changed

RESOURCES = {
    "ConfigMap": CONFIG_MAPS,
    "Gateway": GATEWAYS,
    "HTTPRoute": HTTP_ROUTES,
    "Ingress": INGRESSES,
    "Secret": SECRETS,
    KIND: MONITORS,
    MAINTENANCE_KIND: MAINTENANCES,
}
DEFAULTS: dict[str, Object] = {"Ingress": {"ingressClassName": "none"}}  # no controller takes it
SUSPENDED: Object = {"journey": "clients-health", "suspend": True}
SHOP: Object = {"url": "http://shop.example"}


@dataclass(frozen=True)
class WrongSpec:
    """One wrong spec: who refuses it, and the parts of the message."""

    name: str
    by: str  # schema, rule, or the reason of Ready=False
    names: str  # the field or the line
    fix: str
    spec: Object = field(default_factory=dict)
    metadata: Object = field(default_factory=dict)
    maintenance: Object | None = None
    objects: tuple[Object, ...] = ()
    document: tuple[str, str] | None = None
    needs: str = ""  # what the fake API server lacks
    answer: str = ""  # of a real API server to the CronJob
    run: bool = False  # the mistake shows when a run starts

    @property
    def is_refused(self) -> bool:
        """True if the API server refuses it."""
        return self.by in {"schema", "rule"}

    @property
    def item(self) -> Object:
        """The monitor or the cluster-wide maintenance."""
        if self.maintenance is not None:
            return self._object(MAINTENANCE_KIND, {"spec": self.maintenance})
        document = {"configMapKeyRef": {"name": self.name, "key": "order.arazzo.yaml"}}
        spec = {
            **SUSPENDED,
            "target": SHOP,
            **({} if "schedule" in self.spec else {"interval": "5m"}),
            **({"journey": "order", "journeyFrom": document} if self.document else {}),
            **self.spec,
        }
        kept = {key: value for key, value in spec.items() if value is not None}
        annotations = {RUN_REQUESTED_ANNOTATION: "now"} if self.run else {}
        metadata = {"annotations": annotations, **self.metadata}
        return self._object(KIND, {"spec": kept, "metadata": metadata})

    @property
    def related(self) -> Iterator[Object]:
        """The objects that it refers to."""
        if self.document:
            yield self._object("ConfigMap", {"data": changed(*self.document)})
        for each in self.objects:
            parts: Object = {key: each[key] for key in ("spec", "status", "data") if key in each}
            if each["kind"] in DEFAULTS:
                parts["spec"] = {**DEFAULTS[each["kind"]], **parts["spec"]}
            metadata = {"annotations": each.get("annotations", {})}
            yield self._object(each["kind"], {**parts, "metadata": metadata})

    def complaint(self, reason: str, message: str) -> str:
        """Return what is wrong with a refusal or a condition, or an empty text."""
        missing = [part for part in (self.names, self.fix) if part not in message]
        if reason != self.by and not self.is_refused:
            return f"{self.name}: the reason is {reason or 'none'} instead of {self.by}: {message}"
        return f"{self.name}: no {missing} in: {message or 'accepted'}" if missing else ""

    def _object(self, kind: str, parts: Object) -> Object:
        version = RESOURCES[kind].prefix.removeprefix("/apis/").removeprefix("/api/")
        metadata = {"name": self.name, **parts.get("metadata", {})}
        return {"apiVersion": version, "kind": kind, **parts, "metadata": metadata}


def resource_of(item: Object) -> Resource:
    """Return the resource of an object."""
    return RESOURCES[item["kind"]]


def _read() -> list[WrongSpec]:
    cases = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    named = {
        name: json.loads(json.dumps(case).replace("NAME", name)) for name, case in cases.items()
    }
    return [WrongSpec(name, **case) for name, case in named.items()]


WRONG_SPECS = _read()
