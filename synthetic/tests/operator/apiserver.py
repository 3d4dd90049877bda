"""A stand-in for the Kubernetes API over HTTP: as much of it as the operator and kopf use.

It keeps what an API server keeps of its word: uids, generations that grow with a spec, versions
that guard a write, a status that is written apart, watches, and the deletion of what is owned.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

Object = dict[str, Any]

KINDS = {
    "/api/v1": {
        "configmaps": "ConfigMap",
        "events": "Event",
        "namespaces": "Namespace",  # kopf waits until it knows the kind
        "pods": "Pod",
    },
    "/apis/apps/v1": {"deployments": "Deployment"},
    "/apis/batch/v1": {"cronjobs": "CronJob", "jobs": "Job"},
    "/apis/networking.k8s.io/v1": {"ingresses": "Ingress"},
    "/apis/monitoring.cadastro.dev/v1alpha1": {"syntheticmonitors": "SyntheticMonitor"},
}


class RefusedError(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, message: str, retry_after: int = 0) -> None:
        """Keep the HTTP status, what is said, and the seconds to wait."""
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


@dataclass(frozen=True)
class Place:
    """A path of the API, taken apart."""

    prefix: str
    namespace: str = ""
    plural: str = ""
    name: str = ""
    part: str = ""

    @classmethod
    def of(cls, path: str) -> "Place":
        """Take a path apart."""
        prefix = next((prefix for prefix in KINDS if path.startswith(prefix)), "")
        if not prefix:
            raise RefusedError(404, "the server could not find the requested resource")
        parts = path.removeprefix(prefix).strip("/").split("/")
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            _, namespace, *parts = parts
        return cls(prefix, namespace, *parts)

    @property
    def key(self) -> str:
        """The path of the object, whichever part of it is meant."""
        tail = f"/{self.plural}/{self.name}"
        return f"{self.prefix}/namespaces/{self.namespace}{tail}"

    def holds(self, path: str) -> bool:
        """Tell whether an object is one of this collection."""
        other = Place.of(path)
        return (other.prefix, other.plural) == (self.prefix, self.plural) and (
            self.namespace in {"", other.namespace}
        )


class Cluster:
    """The objects by their paths, and all that was asked."""

    def __init__(self) -> None:
        """Start empty."""
        self.token = "first"
        self.objects: dict[str, Object] = {}
        self.requests: list[tuple[str, str]] = []
        self.changes: list[tuple[str, str, Object]] = []  # kind of change, path, object after it
        self.watched: list[Place] = []
        self._failures: list[tuple[str, str, RefusedError]] = []
        self._lost: tuple[int, bool] | None = None
        self._numbers = itertools.count(1)

    def fail(self, method: str, pattern: str, status: int, wait: int = 0) -> None:
        """Refuse the next request of a method to a path like ``*/status``."""
        self._failures.append(
            (method, pattern, RefusedError(status, f"refused with {status}", wait))
        )

    def lose(self, write: int, *, is_heard: bool) -> None:
        """Answer nobody from a write on, which is done itself, or not even that."""
        self._lost = (len(self.writes) + write, is_heard)

    def find(self) -> None:
        """Answer all again."""
        self._lost = None

    def is_lost(self, *, is_done: bool) -> bool:
        """Tell whether a request, before or after it is done, is not answered any more."""
        if self._lost is None:
            return False
        last, is_heard = self._lost
        at = len(self.writes)
        return at > last or (at == last and (is_done or not is_heard))

    @property
    def writes(self) -> list[tuple[str, str]]:
        """All that was asked for and was more than a look."""
        return [request for request in self.requests if request[0] != "GET"]

    def is_watched(self, plural: str) -> bool:
        """Tell whether somebody watches a kind."""
        return any(place.plural == plural for place in self.watched)

    def take_failure(self, method: str, path: str) -> None:
        """Note a request, and refuse it if that is its fate."""
        self.requests.append((method, path))
        for number, (wanted, pattern, refusal) in enumerate(self._failures):
            if wanted == method and fnmatch(path, pattern):
                del self._failures[number]
                raise refusal

    def of_kind(self, plural: str) -> list[Object]:
        """Return the objects of a kind, in the order of their names."""
        found = (path for path in sorted(self.objects) if Place.of(path).plural == plural)
        return [self.objects[path] for path in found]

    def within(self, place: Place, labels: str = "") -> Iterator[Object]:
        """Yield the objects of a collection that bear labels: ``a=b``, ``a``, with commas."""
        for path in sorted(self.objects):
            if place.holds(path) and _bears(self.objects[path], labels):
                yield self.objects[path]

    def get(self, place: Place) -> Object:
        """Return an object."""
        try:
            return self.objects[place.key]
        except KeyError:
            raise RefusedError(404, f"{place.plural} {place.name!r} not found") from None

    def create(self, place: Place, body: Object) -> Object:
        """Keep a new object."""
        made = copy.deepcopy(body)
        place = Place(place.prefix, place.namespace, place.plural, made["metadata"]["name"])
        if place.key in self.objects:
            raise RefusedError(409, f"{place.plural} {place.name!r} already exists")
        made["metadata"] = {
            "creationTimestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "uid": f"{next(self._numbers):08x}-0000-4000-8000-000000000000",
            **made["metadata"],
            "generation": 1,
        }
        return self._keep("ADDED", place, _defaulted(place, made))

    def replace(self, place: Place, body: Object) -> Object:
        """Write an object or its status, unless it is another one by now."""
        old, new = self.get(place), copy.deepcopy(body)
        version = new["metadata"].get("resourceVersion")
        if version not in {None, old["metadata"]["resourceVersion"]}:
            raise RefusedError(409, "the object has been modified; please apply your changes to it")
        if place.part == "status":
            new = {**old, "status": new["status"]}
        else:
            fixed = ("uid", "creationTimestamp", "generation", "resourceVersion")
            kept = {key: old["metadata"][key] for key in fixed}
            new["metadata"] = {**new["metadata"], **kept}
            new |= {"status": old["status"]} if "status" in old else {}
            new = _defaulted(place, new)
        if new == old:
            return old
        new["metadata"] = {**new["metadata"]}
        new["metadata"]["generation"] += new.get("spec") != old.get("spec")
        return self._keep("MODIFIED", place, new)

    def delete(self, place: Place) -> Object:
        """Forget an object and all that it owns."""
        gone = self.get(place)
        del self.objects[place.key]
        self.changes.append(("DELETED", place.key, gone))
        for path, other in list(self.objects.items()):
            owners = other["metadata"].get("ownerReferences", [])
            if path in self.objects and any(
                owner["uid"] == gone["metadata"]["uid"] for owner in owners
            ):
                self.delete(Place.of(path))
        return {"kind": "Status", "status": "Success"}

    def _keep(self, change: str, place: Place, thing: Object) -> Object:
        thing["metadata"]["resourceVersion"] = str(len(self.changes) + 1)
        self.objects[place.key] = thing
        self.changes.append((change, place.key, thing))
        return thing


def _bears(thing: Object, labels: str) -> bool:
    own = thing["metadata"].get("labels", {})
    for wanted in filter(None, labels.split(",")):
        key, _, value = wanted.partition("=")
        if key not in own or (value and own[key] != value):
            return False
    return True


def _defaulted(place: Place, thing: Object) -> Object:
    """Return an object with what an API server adds to it, leaves out of it or refuses in it."""
    if place.plural == "syntheticmonitors" and "journey" not in (thing.get("spec") or {}):
        raise RefusedError(422, "spec.journey: Required value")
    if place.plural == "cronjobs":
        pod = thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        pod.setdefault("dnsPolicy", "ClusterFirst")
        if not pod.get("imagePullSecrets", True):
            del pod["imagePullSecrets"]
    return thing
