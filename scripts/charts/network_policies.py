"""Evaluation of the network policies of a release, for every pair of its pods."""

import json
from typing import Any

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import of_kind

CONTROLLER = {"app": "ingress"}  # a pod in the namespace that ingressFrom names
STRANGER = {"app": "stranger"}
PROBE = {
    "app.kubernetes.io/name": "synthetic",
    "app.kubernetes.io/component": "probe",
    "app.kubernetes.io/part-of": "cadastro",
}
PORTS = (8000, 8080, 9000, 5432, 5557)  # of all pods; the names differ
OUTSIDE = (80, 443, 5432, 6443, 8000, 8080, 8443, 9000)  # ports in the column of other addresses
NARROW = json.dumps([{"podSelector": {"matchLabels": CONTROLLER}}])
ONLY_CONTROLLER = [  # Helm's options for services that only the ingress controller may call
    part
    for service in SERVICES
    for part in (
        *("--set-json", f"{service}.networkPolicy.ingressFrom={NARROW}"),
        *("--set-json", f"{service}.metrics.ingressFrom=[]"),
    )
]


class PodPolicies:
    """The pods of a release with their policies."""

    def __init__(self, objects: list[dict[str, Any]], release: str = "try") -> None:
        """Read the pod templates and the policies of the rendered objects of a release."""
        self._policies = [o["spec"] for o in of_kind(objects, "NetworkPolicy").values()]
        probe = {**PROBE, "app.kubernetes.io/instance": release}
        self.labels = {"probe": probe, "controller": CONTROLLER, "stranger": STRANGER}
        self.ports: dict[str, dict[str, int]] = {}  # by pod and name
        for item in objects:
            spec = item.get("spec", {}).get("jobTemplate", item).get("spec", {})
            if item["kind"] == "Pod":
                self.labels["test"] = item["metadata"]["labels"]
            elif "spec" in spec.get("template", {}):
                labels = spec["template"]["metadata"]["labels"]
                component = labels.get("app.kubernetes.io/component", "database")
                name = f"{labels['app.kubernetes.io/name']}-{component}"
                self.labels[name] = labels
                self.ports[name] = _named_ports(spec["template"]["spec"])

    def admits(self, source: str, target: str, port: int) -> bool:
        """Return whether policies let one pod connect to a TCP port of another."""
        ends, names = (self.labels[source], self.labels[target]), self.ports.get(target, {})
        return all(self._allowed(kind, *ends, port, names) for kind in ("Egress", "Ingress"))

    def reaches(self, source: str, port: int) -> bool:
        """Return whether egress to a port outside of the release is open."""
        return self._allowed("Egress", self.labels[source], {"outside": "yes"}, port, {})

    def reaches_dns(self, source: str) -> bool:
        """Return whether egress to port 53 is open."""
        return self.reaches(source, 53)

    def table(self) -> str:
        """Return a Markdown table of what each pod reaches; equal pods share a line."""
        sources: dict[str, list[str]] = {}
        for source in self.labels:
            reached = [
                f"{target} {port}"
                for target in self.labels.keys() - {source, "controller", "stranger"}
                for port in PORTS
                if self.admits(source, target, port)
            ]
            outside = [str(port) for port in OUTSIDE if self.reaches(source, port)]
            row = f"{', '.join(sorted(reached)) or 'none'} | {', '.join(outside) or 'none'}"
            sources.setdefault(row, []).append(source)
        rows = sorted(f"| {', '.join(sorted(names))} | {row} |" for row, names in sources.items())
        return "\n".join(
            ["| from | pods of the release | other addresses |", "|---|---|---|", *rows]
        )

    def _allowed(
        self,
        kind: str,
        source: dict[str, str],
        target: dict[str, str],
        port: int,
        names: dict[str, int],
    ) -> bool:
        subject, other = (source, target) if kind == "Egress" else (target, source)
        applying = [
            policy
            for policy in self._policies
            if kind in policy["policyTypes"] and _matches(policy["podSelector"], subject)
        ]
        direction, peers = ("egress", "to") if kind == "Egress" else ("ingress", "from")
        return not applying or any(
            _has_port(rule, port, names) and _has_peer(rule.get(peers), other)
            for policy in applying
            for rule in policy.get(direction, [])
        )


def _named_ports(pod: dict[str, Any]) -> dict[str, int]:
    ports = [port for one in pod["containers"] for port in one.get("ports", [])]
    return {port["name"]: port["containerPort"] for port in ports if "name" in port}


def _has_port(rule: dict[str, Any], port: int, names: dict[str, int]) -> bool:
    ports = [one for one in rule["ports"] if one.get("protocol", "TCP") == "TCP"]
    return port in {names.get(one["port"], one["port"]) for one in ports}


def _has_peer(peers: list[dict[str, Any]] | None, labels: dict[str, str]) -> bool:
    if peers is None:
        return True
    return any("ipBlock" in one or _matches(one.get("podSelector", {}), labels) for one in peers)


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )
