"""Ways in which a run cannot start: each must be a condition, and no monitor healthy."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from synthetic.operator.conditions import condition
from synthetic.operator.resources import Object
from tests.operator.factories import ready_condition
from tests.operator.namespace import Namespace, temporary_namespace
from tests.operator.operator_process import operator
from tests.support.steps import StepFailed

LIMIT_SECONDS = 180.0  # until the first scheduled run, and two minutes after it
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = f"{POLICIES.removesuffix('policies')}policybindings"
REFUSAL = "no probes in this namespace"


@dataclass(frozen=True)
class Way:
    """One way: objects of its namespace, fields of its monitor, and the expected text."""

    text: str
    spec: Object = field(default_factory=dict)
    quota: Object | None = None
    limit_range: Object | None = None
    policy: tuple[str, str] | None = None  # API group and resource whose creation is refused


WAYS = {
    "no image": Way("bench.invalid/none"),
    "no secret": Way('secret "missing" not found', {"credentialsSecretRef": {"name": "missing"}}),
    "no node": Way("Insufficient cpu", {"resources": {"requests": {"cpu": "1000"}}}),
    "quota of jobs": Way("exceeded quota", quota={"count/jobs.batch": "0"}),
    "quota of pods": Way("exceeded quota", quota={"pods": "0"}),
    "quota of limits": Way("failed quota", quota={"limits.cpu": "1"}),
    "limit range": Way("minimum cpu usage", limit_range={"type": "Container", "min": {"cpu": "2"}}),
    "policy on pods": Way(REFUSAL, policy=("", "pods")),
    "policy on jobs": Way(REFUSAL, policy=("batch", "jobs")),
}


def check_start_failures() -> str:
    """Create a passing monitor for each way, and wait until it reports why runs do not start."""
    with ExitStack() as stack:
        places = {name: stack.enter_context(temporary_namespace()) for name in WAYS}
        names = ",".join(place.name for place in places.values())
        stack.enter_context(operator(names))
        for name, way in WAYS.items():
            owner = places[name].add_monitor(
                "shop", suspend=False, interval="1m", **{"resources": None, **way.spec}
            )
            places[name].end_run(owner, passed=True)
            _wait_until_healthy(places[name])
            stack.enter_context(_prepared(places[name], way))
        started = time.monotonic()
        waiting = dict(WAYS)
        while waiting and time.monotonic() - started < LIMIT_SECONDS:
            time.sleep(1)
            waiting = {n: w for n, w in waiting.items() if not _is_reported(places[n], w)}
        if waiting:
            found = {name: _conditions(places[name]) for name in waiting}
            raise StepFailed(f"not reported: {found}")
        return f"{len(WAYS)} ways reported within {time.monotonic() - started:.0f} s, none healthy"


def _is_reported(place: Namespace, way: Way) -> bool:
    healthy = condition(place.monitor("shop").get("status") or {}, "Healthy")
    return way.text in ready_condition(place.monitor("shop"))[1] and healthy["status"] != "True"


def _conditions(place: Namespace) -> list[str]:
    status: Object = place.monitor("shop").get("status") or {}
    found = (condition(status, kind) for kind in ("Ready", "Healthy"))
    return [f"{each.get('reason')}: {each.get('message')}" for each in found]


def _wait_until_healthy(place: Namespace) -> None:
    started = time.monotonic()
    while time.monotonic() - started < LIMIT_SECONDS:
        status: Object = place.monitor("shop").get("status") or {}
        if condition(status, "Healthy").get("status") == "True":
            return
        time.sleep(0.2)
    raise StepFailed(f"not healthy at first: {_conditions(place)}")


@contextmanager
def _prepared(place: Namespace, way: Way) -> Iterator[None]:
    """Create the objects of a way; those without a namespace are deleted after the block."""
    if way.quota:
        _post(place, "resourcequotas", {"hard": way.quota})
    if way.limit_range:
        _post(place, "limitranges", {"limits": [way.limit_range]})
    if way.policy is None:
        yield
        return
    for path, spec in ((POLICIES, _policy(*way.policy)), (BINDINGS, _binding(place))):
        body = {"metadata": {"name": place.name}, "spec": spec}
        place.http.post(path, json=body).raise_for_status()
    try:
        yield
    finally:
        for path in (BINDINGS, POLICIES):
            place.http.delete(f"{path}/{place.name}")


def _post(place: Namespace, plural: str, spec: Object) -> None:
    path = f"/api/v1/namespaces/{place.name}/{plural}"
    place.http.post(path, json={"metadata": {"name": "tight"}, "spec": spec}).raise_for_status()


def _policy(group: str, resource: str) -> Object:
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"]}
    return {
        "matchConstraints": {"resourceRules": [{**rule, "resources": [resource]}]},
        "validations": [{"expression": "false", "message": REFUSAL}],
    }


def _binding(place: Namespace) -> Object:
    labels = {"matchLabels": {"kubernetes.io/metadata.name": place.name}}
    return {
        "policyName": place.name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": labels},
    }
