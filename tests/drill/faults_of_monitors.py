"""Faults of the monitors themselves: none may be reported as a failure of the system.

The printed table describes each fault with its docstring.
"""

import json
from collections.abc import Callable
from typing import Any

from synthetic.operator.secret_binding import ANY_HOST, HOSTS_ANNOTATION
from tests.drill.experiment import total_runs
from tests.drill.harness import NAME, OPERATOR, TIMEOUT_SECONDS, MonitorHarness
from tests.drill.pod_signals import signal_pod
from tests.support import images
from tests.support.steps import check, wait_until

RUN_TIMEOUT_SECONDS = 180.0
MISSING = "nowhere"
LATE_SECRET = "drill-late"
UNOBSERVED_RUNS = 50  # that end without an operator
UNOBSERVED_TIMEOUT_SECONDS = 60  # of each of them
LASTING_SECONDS = 30  # the timeout of a run that is ended from outside
FILE = "lasting.arazzo.yaml"
STEP: dict[str, Any] = {
    "stepId": "wait",
    "operationId": "clients.health",
    "successCriteria": [{"condition": "$statusCode == 418"}],
    "onFailure": [{"name": "again", "type": "retry", "retryAfter": 1, "retryLimit": 1000}],
}
JOURNEY: dict[str, Any] = {
    "arazzo": "1.0.1",
    "info": {"title": "A journey whose condition is never met", "version": "1.0.0"},
    "sourceDescriptions": [
        {"name": "clients", "url": "/app/openapi/clients.yaml", "type": "openapi"}  # of the image
    ],
    "workflows": [{"workflowId": "lasting", "steps": [STEP]}],
}
LASTING: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "drill-lasting"},
    "data": {FILE: json.dumps(JOURNEY)},
}


INVALID = json.dumps(JOURNEY).replace("clients.health", "clients.healthy")


def secret(harness: MonitorHarness) -> str:
    """Refer to a missing Secret."""
    harness.create(timeoutSeconds=1, credentialsSecretRef={"name": MISSING})
    harness.run_now()
    return _wait_for_error(harness, f'secret "{MISSING}" not found')


def config_map(harness: MonitorHarness) -> str:
    """Refer to a missing ConfigMap."""
    harness.create(journey="lasting", journeyFrom=_journey_from(MISSING))
    message = harness.wait_for_condition("Ready", "NoJourney")
    check(f'configmap "{MISSING}" not found' in message, message)
    return message


def journey(harness: MonitorHarness) -> str:
    """Refer to a journey with a mistake: its file and line are reported, and nothing runs."""
    harness.cluster.apply(json.dumps(LASTING | {"data": {FILE: INVALID}}))
    harness.create(journey="lasting", journeyFrom=_journey_from(LASTING["metadata"]["name"]))
    message = harness.wait_for_condition("Ready", "JourneyInvalid")
    check(f"{FILE}:1:" in message and "clients.healthy" in message, message)
    harness.cluster.apply(json.dumps(LASTING))
    harness.wait_for_condition("Ready", "Scheduled")
    return message


def memory(harness: MonitorHarness) -> str:
    """Limit the memory of a probe to less than it needs."""
    harness.create(resources={"limits": {"memory": "12Mi"}})
    harness.run_now()
    return _wait_for_error(harness, "OOMKilled")


def killed(harness: MonitorHarness) -> str:
    """Kill the process of a probe from outside its pod, like a node under pressure."""
    with signal_pod(harness.cluster) as send:
        _create_lasting(harness)
        send("SIGKILL", harness.running_pod())
        return _wait_for_error(harness, "ExitCode137")


def hanging(harness: MonitorHarness) -> str:
    """Stop the process of a probe, so that the deadline of its pod ends it."""
    with signal_pod(harness.cluster) as send:
        _create_lasting(harness)
        send("SIGSTOP", harness.running_pod())
        return _wait_for_error(harness, "DeadlineExceeded")


def deleted(harness: MonitorHarness) -> str:
    """Force the deletion of a running probe's pod."""
    _create_lasting(harness)
    pod = harness.running_pod()
    harness.cluster.kubectl("delete", "pod", pod, "--force", "--grace-period=0", "--wait=false")
    return _wait_for_error(harness, "")


def image(harness: MonitorHarness) -> str:
    """Set a missing image."""
    name = f"PROBE_IMAGE={images.repository()}/synthetic"
    deployment = f"deployment/{OPERATOR}"
    try:
        harness.cluster.kubectl("set", "env", deployment, f"{name}:{MISSING}")
        harness.cluster.wait_for_rollouts(deployment)
        harness.create()
        harness.run_now()
        message = harness.wait_for_condition("Ready", "ProbeCannotStart")
    finally:
        harness.cluster.kubectl("set", "env", deployment, f"{name}:{harness.cluster.tag}")
        harness.cluster.wait_for_rollouts(deployment)
    return message


def drained(harness: MonitorHarness) -> str:
    """Evict a probe that waits for its Secret: its replacement passes."""
    harness.create(credentialsSecretRef={"name": LATE_SECRET})
    harness.run_now()
    first = harness.pod()
    harness.evict(first)
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": LATE_SECRET, "annotations": {HOSTS_ANNOTATION: ANY_HOST}},
        "stringData": {"client-id": "any", "client-secret": "any"},
    }
    try:
        harness.cluster.apply(json.dumps(document))
        harness.wait_for_condition("Healthy", "Passing", RUN_TIMEOUT_SECONDS)
    finally:
        harness.cluster.kubectl("delete", "secret", LATE_SECRET, "--ignore-not-found")
    last = harness.totals
    check((last["passed"], last["failed"], last["error"]) == (1, 0, 0), f"{last}")
    check(harness.pod() != first, f"{first} was not evicted")
    return "the replacement of an evicted probe passed"


def foreign(harness: MonitorHarness) -> str:
    """Create a foreign CronJob with the monitor's name: it stays unchanged."""
    harness.create()
    harness.wait_for_condition("Ready", "Scheduled")
    name = harness.cron_job
    with harness.without_operator():
        harness.cluster.kubectl("delete", "cronjob", name)
        theirs = ("--image=example.invalid/theirs", "--schedule=0 0 1 1 *")
        harness.cluster.kubectl("create", "cronjob", name, *theirs)
    message = harness.wait_for_condition("Ready", "NameTaken")
    found = harness.cluster.kubectl("get", "cronjob", name, "-o", "jsonpath={..image}")
    check(found == "example.invalid/theirs", f"it was changed: {found}")
    harness.cluster.kubectl("delete", "cronjob", name)
    harness.wait_for_condition("Ready", "Scheduled")
    return message


def operator_outage(harness: MonitorHarness) -> str:
    """Let runs end without an operator: it counts each of them once after its start."""
    harness.create(timeoutSeconds=UNOBSERVED_TIMEOUT_SECONDS)  # concurrent runs delay each other
    harness.wait_for_condition("Ready", "Scheduled")
    before = total_runs(harness.observer.monitor(NAME)["status"])
    with harness.without_operator():
        for number in range(UNOBSERVED_RUNS):
            source = f"--from=cronjob/{harness.cron_job}"
            harness.cluster.kubectl("create", "job", f"{NAME}-{number}", source)
        harness.wait_for_jobs(UNOBSERVED_RUNS)

    def counted() -> int:
        return total_runs(harness.observer.monitor(NAME)["status"]) - before

    def summary() -> str:
        return f"{counted()} of {UNOBSERVED_RUNS} runs are counted"

    wait_until(lambda: counted() >= UNOBSERVED_RUNS, TIMEOUT_SECONDS, summary)
    check(counted() == UNOBSERVED_RUNS, summary())
    return summary()


FAULTS: dict[str, Callable[[MonitorHarness], str]] = {
    "secret": secret,
    "configmap": config_map,
    "journey": journey,
    "memory": memory,
    "killed": killed,
    "hanging": hanging,
    "deleted": deleted,
    "image": image,
    "drained": drained,
    "foreign": foreign,
    "away": operator_outage,
}


def _journey_from(config_map_name: str) -> dict[str, Any]:
    return {"configMapKeyRef": {"name": config_map_name, "key": FILE}}


def _create_lasting(harness: MonitorHarness) -> None:
    """Start a run that lasts until its timeout, unless it is ended from outside."""
    harness.cluster.apply(json.dumps(LASTING))
    harness.create(
        journey="lasting",
        journeyFrom=_journey_from(LASTING["metadata"]["name"]),
        timeoutSeconds=LASTING_SECONDS,
        retries=0,
    )
    harness.run_now()


def _wait_for_error(harness: MonitorHarness, detail: str) -> str:
    """Wait until a run is reported as an error of the monitor with a detail; return its reason."""
    message = harness.wait_for_condition("Healthy", "MonitorBroken", RUN_TIMEOUT_SECONDS)
    check(detail in message, f"not {detail}, but {message}")
    last = harness.totals
    check((last["passed"], last["failed"], last["error"]) == (0, 0, 1), f"{last}")
    return message
