"""An in-memory Kubernetes object store with the semantics that the operator and kopf use.

Uids, generations, optimistic locking by resourceVersion, status subresources, change history for
watches, and cascading deletion by owner references.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any
from urllib.parse import unquote

Object = dict[str, Any]

KINDS = {
    "/api/v1": {
        "configmaps": "ConfigMap",
        "events": "Event",
        "namespaces": "Namespace",  # kopf waits for this kind
        "pods": "Pod",
        "secrets": "Secret",
    },
    "/apis/apps/v1": {"deployments": "Deployment"},
    "/apis/batch/v1": {"cronjobs": "CronJob", "jobs": "Job"},
    "/apis/coordination.k8s.io/v1": {"leases": "Lease"},
    "/apis/gateway.networking.k8s.io/v1": {"gateways": "Gateway", "httproutes": "HTTPRoute"},
    "/apis/networking.k8s.io/v1": {"ingresses": "Ingress"},
    "/apis/monitoring.cadastro.dev/v1alpha1": {
        "syntheticmonitors": "SyntheticMonitor",
        "syntheticmaintenances": "SyntheticMaintenance",
    },
}
CLUSTER_SCOPED = frozenset({"namespaces", "syntheticmaintenances"})


class ApiStatusError(Exception):
    """An unsuccessful response of the API server."""

    def __init__(self, status: int, message: str, retry_after: int = 0) -> None:
        """Set the HTTP status, the message, and the seconds of ``Retry-After``."""
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


@dataclass(frozen=True)
class ObjectPath:
    """A parsed path of the Kubernetes API."""

    prefix: str
    namespace: str = ""
    plural: str = ""
    name: str = ""
    part: str = ""

    @classmethod
    def of(cls, path: str) -> "ObjectPath":
        """Parse a path."""
        prefix = next((prefix for prefix in KINDS if path.startswith(prefix)), "")
        if not prefix:
            raise ApiStatusError(404, "the server could not find the requested resource")
        parts = [unquote(part) for part in path.removeprefix(prefix).strip("/").split("/")]
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            _, namespace, *parts = parts
        return cls(prefix, namespace, *parts)

    @property
    def key(self) -> str:
        """The path of the object without its subresource."""
        tail = f"/{self.plural}/{self.name}"
        return f"{self.prefix}/namespaces/{self.namespace}{tail}"

    def contains(self, path: str) -> bool:
        """Return whether this collection contains the object at ``path``."""
        other = ObjectPath.of(path)
        return (other.prefix, other.plural) == (self.prefix, self.plural) and (
            self.namespace in {"", other.namespace}
        )


class FakeCluster:
    """Objects by their paths, with a record of all requests and changes."""

    def __init__(self) -> None:
        """Start empty."""
        self.token = "first"
        self.objects: dict[str, Object] = {}
        self.requests: list[tuple[str, str]] = []
        self.changes: list[tuple[str, str, Object]] = []  # kind of change, path, object after it
        self.watched: list[ObjectPath] = []
        self.queries: list[tuple[str, dict[str, str]]] = []  # of lists and watches, by their kind
        self.logs: dict[str, str] = {}  # by pod
        self._failures: list[tuple[str, str, ApiStatusError]] = []
        self._outage: tuple[int, bool] | None = None
        self._numbers = itertools.count(1)

    def fail(
        self, method: str, pattern: str, status: int, wait: int = 0, message: str = ""
    ) -> None:
        """Reject the next request of a method to a path like ``*/status``."""
        error = ApiStatusError(status, message or f"rejected with {status}", wait)
        self._failures.append((method, pattern, error))

    def stop_responding(self, write: int, *, is_applied: bool) -> None:
        """Fail all requests from the n-th write on; that write itself may still be applied."""
        self._outage = (len(self.writes) + write, is_applied)

    def resume(self) -> None:
        """End the outage."""
        self._outage = None

    def is_unresponsive(self, *, is_handled: bool) -> bool:
        """Return whether the current request fails before, or after, it is handled."""
        if self._outage is None:
            return False
        last, is_applied = self._outage
        at = len(self.writes)
        return at > last or (at == last and (is_handled or not is_applied))

    @property
    def writes(self) -> list[tuple[str, str]]:
        """All requests except reads."""
        return [request for request in self.requests if request[0] != "GET"]

    def is_watched(self, plural: str) -> bool:
        """Return whether a client watches a kind."""
        return any(target.plural == plural for target in self.watched)

    def record_request(self, method: str, path: str) -> None:
        """Record a request, and raise the failure that is planned for it."""
        self.requests.append((method, path))
        for number, (wanted, pattern, refusal) in enumerate(self._failures):
            if wanted == method and fnmatch(path, pattern):
                del self._failures[number]
                raise refusal

    def list_kind(self, plural: str) -> list[Object]:
        """Return the objects of a kind, sorted by name."""
        found = (path for path in sorted(self.objects) if ObjectPath.of(path).plural == plural)
        return [self.objects[path] for path in found]

    def select(self, target: ObjectPath, labels: str = "") -> Iterator[Object]:
        """Yield the objects of a collection that match a label selector like ``a=b,c``."""
        for path in sorted(self.objects):
            if target.contains(path) and _has_labels(self.objects[path], labels):
                yield self.objects[path]

    def get(self, target: ObjectPath) -> Object:
        """Return an object."""
        try:
            return self.objects[target.key]
        except KeyError:
            raise ApiStatusError(404, f"{target.plural} {target.name!r} not found") from None

    def create(self, target: ObjectPath, body: Object) -> Object:
        """Store a new object."""
        made = copy.deepcopy(body)
        target = ObjectPath(
            target.prefix, target.namespace, target.plural, made["metadata"]["name"]
        )
        if target.key in self.objects:
            raise ApiStatusError(409, f"{target.plural} {target.name!r} already exists")
        made["metadata"] = {
            "creationTimestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "uid": f"{next(self._numbers):08x}-0000-4000-8000-000000000000",
            **made["metadata"],
            "generation": 1,
        }
        return self._store("ADDED", target, _defaulted(target, made))

    def replace(self, target: ObjectPath, body: Object) -> Object:
        """Replace an object or its status; a stale resourceVersion is a conflict."""
        old, new = self.get(target), copy.deepcopy(body)
        version = new["metadata"].get("resourceVersion")
        if version not in {None, old["metadata"]["resourceVersion"]}:
            raise ApiStatusError(
                409, "the object has been modified; please apply your changes to it"
            )
        if target.part == "status":
            new = {**old, "status": new["status"]}
        else:
            fixed = ("uid", "creationTimestamp", "generation", "resourceVersion")
            kept = {key: old["metadata"][key] for key in fixed}
            new["metadata"] = {**new["metadata"], **kept}
            new |= {"status": old["status"]} if "status" in old else {}
            new = _defaulted(target, new)
        if new == old:
            return old
        new["metadata"] = {**new["metadata"]}
        new["metadata"]["generation"] += new.get("spec") != old.get("spec")
        return self._store("MODIFIED", target, new)

    def delete(self, target: ObjectPath) -> Object:
        """Delete an object and everything that it owns."""
        deleted = self.get(target)
        del self.objects[target.key]
        self.changes.append(("DELETED", target.key, deleted))
        for path, other in list(self.objects.items()):
            owners = other["metadata"].get("ownerReferences", [])
            if path in self.objects and any(
                owner["uid"] == deleted["metadata"]["uid"] for owner in owners
            ):
                self.delete(ObjectPath.of(path))
        return {"kind": "Status", "status": "Success"}

    def _store(self, change: str, target: ObjectPath, thing: Object) -> Object:
        thing["metadata"]["resourceVersion"] = str(len(self.changes) + 1)
        self.objects[target.key] = thing
        self.changes.append((change, target.key, thing))
        return thing


def _has_labels(thing: Object, labels: str) -> bool:
    own = thing["metadata"].get("labels", {})
    for wanted in filter(None, labels.split(",")):
        key, _, value = wanted.partition("=")
        if key not in own or (value and own[key] != value):
            return False
    return True


def _defaulted(target: ObjectPath, thing: Object) -> Object:
    """Return an object with the API server's defaults; raise for an invalid one."""
    if target.plural == "syntheticmonitors" and "journey" not in (thing.get("spec") or {}):
        raise ApiStatusError(422, "spec.journey: Required value")
    if target.plural == "cronjobs":
        pod = thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        pod.setdefault("dnsPolicy", "ClusterFirst")
        if not pod.get("imagePullSecrets", True):
            del pod["imagePullSecrets"]
    return thing
