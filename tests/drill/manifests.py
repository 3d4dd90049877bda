"""Manifests of a drill: a proxy that injects faults, a webhook, entry points, and origins."""

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack.service_catalog import SERVICES
from tests.drill import receiver
from tests.drill.certificates import Authority
from tests.drill.proxy import PORTS, TLS_PORTS
from tests.support import images
from tests.support.cluster import RELEASE, Cluster

Object = dict[str, Any]

NAME = "drill"
PROXY = "drill-proxy"
ENTRY = "drill-entry"  # resolves to the ingress controller
RECEIVER = "drill-receiver"  # of notifications
EDGE = "drill-edge"  # resolves to the TLS ports of the proxy: the ingress may have no TLS
AUTHORITY = {"name": "drill-authority", "key": "ca.crt"}
CERTIFICATES = "/certificates"
PROXY_LABELS = {
    "app.kubernetes.io/name": NAME,
    # the network policies of the release apply to the proxy too
    "app.kubernetes.io/part-of": "cadastro",
    "app.kubernetes.io/instance": RELEASE,
}
PROGRAMS = [Path(__file__).with_name(name) for name in ("proxy.py", "receiver.py")]
# values of the release with which its operator may send to the receiver
NOTIFY_VALUES = {
    "synthetic.notify.networks": "{0.0.0.0/0}",
    "synthetic.networkPolicy.notifyPorts": f"{{{receiver.PORT}}}",
}


def host(cluster: Cluster, name: str) -> str:
    """Return the DNS name of a Service, valid in every namespace."""
    return f"{name}.{cluster.namespace}.svc"


def objects(cluster: Cluster, url: str) -> list[Object]:
    """Return all manifests, for a release at ``url``."""
    authority = Authority()
    ingress = next(
        item for item in cluster.objects("ingress") if item["metadata"]["name"] == RELEASE
    )
    return [
        *_entry(cluster, ingress, url),
        *[_origin(cluster, service) for service in SERVICES],
        _service(EDGE, {"port": 443, "targetPort": "tls"}, PROXY_LABELS),
        _service(RECEIVER, {"port": receiver.PORT, "targetPort": "receiver"}, PROXY_LABELS),
        _certificates(authority, host(cluster, EDGE)),
        _object("ConfigMap", AUTHORITY["name"], data={AUTHORITY["key"]: authority.pem}),
        _object("ConfigMap", PROXY, data={path.name: path.read_text() for path in PROGRAMS}),
        _deployment(cluster, ingress),
    ]


def entry(url: str) -> list[Object]:
    """Return a headless Service without pods, with the address of the ingress controller."""
    parts = urlsplit(url)
    port = parts.port or 80
    address = socket.gethostbyname(str(parts.hostname))
    slices = _object(
        "EndpointSlice",
        ENTRY,
        api="discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": [address], "conditions": {"ready": True}}],
        ports=[{"name": "http", "port": port}],
    )
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": ENTRY}
    service = _service(ENTRY, {"port": port, "name": "http"}, None)
    service["spec"]["clusterIP"] = "None"
    return [service, slices]


def entry_url(cluster: Cluster, url: str) -> str:
    """Return the URL of the ingress with the host name of the drill."""
    port = urlsplit(url).port
    return f"http://{host(cluster, ENTRY)}{f':{port}' if port else ''}"


def _entry(cluster: Cluster, ingress: Object, url: str) -> list[Object]:
    """Return an Ingress for the drill's host name, with the routes of the release."""
    rule = {"host": host(cluster, ENTRY), "http": ingress["spec"]["rules"][0]["http"]}
    kept = {name: value for name, value in ingress["spec"].items() if name == "ingressClassName"}
    spec = {**kept, "rules": [rule]}
    return [
        *entry(url),
        _object("Ingress", ENTRY, api="networking.k8s.io/v1", spec=spec),
    ]


def _origin(cluster: Cluster, service: str) -> Object:
    """Return a copy of a Service; the drill redirects the original."""
    live = next(
        item
        for item in cluster.objects("services")
        if item["metadata"]["name"] == f"{RELEASE}-{service}"
    )
    port = {"port": 8000, "targetPort": live["spec"]["ports"][0]["targetPort"]}
    return _service(_origin_name(service), port, live["spec"]["selector"])


def _origin_name(service: str) -> str:
    return f"drill-origin-{service}"


def _certificates(authority: Authority, name: str) -> Object:
    files = {}
    for file, host_name in (("tls", name), ("tls-wrong", f"not-{name}")):
        files[f"{file}.crt"], files[f"{file}.key"] = authority.issue(host_name)
    return _object("Secret", PROXY, stringData=files)


def _deployment(cluster: Cluster, ingress: Object) -> Object:
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_proxy(cluster, ingress), _receiver(cluster)],
        "volumes": [
            {"name": "program", "configMap": {"name": PROXY}},
            {"name": "certificates", "secret": {"secretName": PROXY, "defaultMode": 0o440}},
        ],
    }
    spec = {
        "selector": {"matchLabels": PROXY_LABELS},
        "template": {"metadata": {"labels": PROXY_LABELS}, "spec": pod},
    }
    return _object("Deployment", PROXY, api="apps/v1", spec=spec)


def _proxy(cluster: Cluster, ingress: Object) -> Object:
    environment = {"UPSTREAMS": json.dumps(_origins(ingress)), "CERTIFICATES": CERTIFICATES}
    return {
        **_container(cluster, "proxy", {**PORTS, **TLS_PORTS}, ready="tls-wrong"),
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }


def _receiver(cluster: Cluster) -> Object:
    return _container(cluster, "receiver", {"receiver": receiver.PORT}, ready="receiver")


def _container(cluster: Cluster, name: str, ports: dict[str, int], *, ready: str) -> Object:
    return {
        "name": name,
        "image": f"{images.repository()}/synthetic:{cluster.tag}",
        "command": ["python", f"/program/{name}.py"],
        "ports": [{"name": port, "containerPort": number} for port, number in ports.items()],
        "readinessProbe": {"tcpSocket": {"port": ready}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "program", "mountPath": "/program"},
            {"name": "certificates", "mountPath": CERTIFICATES},
        ],
    }


def _origins(ingress: Object) -> dict[str, str]:
    """Return the origins of the proxy by the first segment of the path."""
    return {
        path["path"].strip("/"): f"http://{_origin_name(_service_of(path))}:8000"
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }


def _service_of(path: Object) -> str:
    name: str = path["backend"]["service"]["name"]
    return name.removeprefix(f"{RELEASE}-")


def _service(name: str, port: Object, selector: dict[str, str] | None) -> Object:
    spec: Object = {"ports": [{"name": "http", **port}]}
    if selector is not None:
        spec["selector"] = selector
    return _object("Service", name, spec=spec)


def _object(kind: str, name: str, *, api: str = "v1", **rest: Any) -> Object:
    labels = {"app.kubernetes.io/part-of": NAME}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels}, **rest}
