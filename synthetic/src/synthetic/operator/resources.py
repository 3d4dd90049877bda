"""Kinds of Kubernetes objects and their paths in the API."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Object = dict[str, Any]

GROUP, VERSION, PLURAL = "monitoring.cadastro.dev", "v1alpha1", "syntheticmonitors"
KIND = "SyntheticMonitor"
GATEWAY_GROUP = "gateway.networking.k8s.io"
MAINTENANCE_PLURAL, MAINTENANCE_KIND = "syntheticmaintenances", "SyntheticMaintenance"


@dataclass(frozen=True)
class Resource:
    """A kind of object: the path of its API version and its plural."""

    prefix: str
    plural: str

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Return the path of the collection, of an object, or of its subresource."""
        scope = f"/namespaces/{_segment(namespace)}" if namespace else ""
        tail = "".join(f"/{_segment(part)}" for part in (name, subresource) if part)
        return f"{self.prefix}{scope}/{self.plural}{tail}"


def _segment(part: str) -> str:
    """Encode a part of a path, so that it names no other object."""
    # clients and proxies resolve dots, encoded ones too (RFC 3986, 6.2.2); no object has the name
    return quote(part if part.strip(".") else part.replace(".", "%2E"), safe="")


MONITORS = Resource(f"/apis/{GROUP}/{VERSION}", PLURAL)
MAINTENANCES = Resource(f"/apis/{GROUP}/{VERSION}", MAINTENANCE_PLURAL)  # cluster-scoped
CRON_JOBS = Resource("/apis/batch/v1", "cronjobs")
JOBS = Resource("/apis/batch/v1", "jobs")
DEPLOYMENTS = Resource("/apis/apps/v1", "deployments")
INGRESSES = Resource("/apis/networking.k8s.io/v1", "ingresses")
HTTP_ROUTES = Resource(f"/apis/{GATEWAY_GROUP}/v1", "httproutes")
GATEWAYS = Resource(f"/apis/{GATEWAY_GROUP}/v1", "gateways")
LEASES = Resource("/apis/coordination.k8s.io/v1", "leases")
CONFIG_MAPS = Resource("/api/v1", "configmaps")
SECRETS = Resource("/api/v1", "secrets")
NAMESPACES = Resource("/api/v1", "namespaces")
PODS = Resource("/api/v1", "pods")
EVENTS = Resource("/api/v1", "events")
