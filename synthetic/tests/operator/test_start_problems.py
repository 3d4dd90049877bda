"""Runs that cannot start: each is a condition with the text of Kubernetes."""

from datetime import timedelta

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import UID_LABEL, owner_reference
from synthetic.operator.resources import CRON_JOBS, EVENTS, JOBS, PODS, Object
from synthetic.operator.start_problems import START_GRACE
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = [pytest.mark.anyio, pytest.mark.covers_subprocesses]

QUOTA = 'pods "shop-1-x" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1'


async def passing(harness: OperatorHarness, **spec: Object) -> None:
    """Create a monitor whose first run has passed, and whose CronJob creates Jobs by its clock."""
    harness.add_monitor(schedule="*/5 * * * *", **spec)
    await harness.reconcile()
    scheduled(harness, 0)
    harness.finish_run("job-0", termination_message("passed"))
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")


def scheduled(harness: OperatorHarness, minute: int) -> None:
    """Set the last start of the CronJob."""
    status = {"lastScheduleTime": f"2026-01-31T09:{minute:02}:00Z"}
    harness.change(CRON_JOBS, {**harness.cron_job, "status": status}, "status")


def start_job(harness: OperatorHarness, *, minute: int = 5) -> Object:
    """Create a Job that does not start."""
    at = f"2026-01-31T09:{minute:02}:00Z"
    harness.now = max(harness.now, harness.now.replace(minute=minute, second=0))
    scheduled(harness, minute)
    metadata = {
        "name": f"shop-{minute}",
        "namespace": NAMESPACE,
        "creationTimestamp": at,
        "labels": {UID_LABEL: harness.monitor["metadata"]["uid"]},
        "ownerReferences": [owner_reference(harness.monitor)],
    }
    return harness.add(JOBS, {"metadata": metadata, "status": {}})


def start_pod(harness: OperatorHarness, job: Object, status: Object) -> Object:
    """Create the pod of a Job."""
    labels = {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
    metadata = {"name": f"{job['metadata']['name']}-x", "namespace": NAMESPACE, "labels": labels}
    return harness.add(PODS, {"metadata": metadata, "status": status})


def warn(harness: OperatorHarness, about: Object, reason: str, message: str) -> None:
    """Record a Warning of Kubernetes now."""
    metadata = about["metadata"]
    name = f"event-{len(harness.cluster.changes)}"
    event = {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "involvedObject": {"uid": metadata["uid"], "name": metadata["name"], "kind": "Pod"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": f"{harness.now:%Y-%m-%dT%H:%M:%SZ}",
    }
    harness.add(EVENTS, event)


def message(harness: OperatorHarness) -> str:
    """Return the message of the condition Ready."""
    return str(condition(harness.status, "Ready")["message"])


@pytest.mark.parametrize(
    "text",
    [
        QUOTA,
        "pods is forbidden: minimum cpu usage per Container is 100m, but request is 20m",
        'admission webhook "policy.example" denied the request: no probes here',
        'violates PodSecurity "restricted:latest": seccompProfile',
        'error looking up service account here/missing: serviceaccount "missing" not found',
        "pods is forbidden: no PriorityClass with name missing was found",
    ],
)
async def test_reports_a_job_whose_pod_is_refused(harness: OperatorHarness, text: str) -> None:
    await passing(harness)
    job = start_job(harness)
    warn(harness, job, "FailedCreate", f"Error creating: {text}")
    assert await harness.reconcile() == START_GRACE.total_seconds()
    assert harness.ready() == ("True", "Scheduled")  # for now
    harness.now += START_GRACE
    await harness.reconcile()
    assert harness.ready() == ("False", "ProbeCannotStart")
    assert text in message(harness)
    assert harness.healthy() == ("Unknown", "NotReady")
    assert harness.events().count("ProbeCannotStart") == 1


@pytest.mark.parametrize(
    ("reason", "text", "shown"),
    [
        (
            "FailedScheduling",
            "0/1 nodes are available: 1 Insufficient cpu.",
            "FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.",
        ),
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "credentials" : secret "login" not found',
            'secret "login" not found: create it, or correct spec.credentialsSecretRef',
        ),
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "ca" : references non-existent config key: a',
            "references non-existent config key: a: create it, or correct spec.target.caFrom",
        ),
    ],
)
async def test_reports_a_pod_that_does_not_start(
    harness: OperatorHarness, reason: str, text: str, shown: str
) -> None:
    authorities = {"configMapKeyRef": {"name": "own", "key": "a"}}
    target = {"url": "https://shop.example", "caFrom": authorities}
    await passing(harness, target=target, credentialsSecretRef={"name": "login"})
    job = start_job(harness)
    pod = start_pod(harness, job, {"phase": "Pending"})
    warn(harness, pod, reason, text)
    harness.now += START_GRACE
    await harness.reconcile()
    assert harness.ready() == ("False", "ProbeCannotStart")
    assert shown in message(harness)
    assert harness.healthy() == ("Unknown", "NotReady")


@pytest.mark.parametrize("part", ["containerStatuses", "initContainerStatuses"])
async def test_reports_an_image_that_cannot_be_pulled_at_once(
    harness: OperatorHarness, part: str
) -> None:
    await passing(harness)
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "r.example/no"'}
    status = {part: [{"name": "probe", "state": {"waiting": waiting}}]}
    start_pod(harness, start_job(harness), status)
    await harness.reconcile()
    assert 'ImagePullBackOff: Back-off pulling image "r.example/no"' in message(harness)
    assert harness.healthy() == ("Unknown", "NotReady")


async def test_reports_a_cron_job_whose_jobs_are_refused(harness: OperatorHarness) -> None:
    await passing(harness)
    harness.now = harness.now.replace(minute=5, second=30)
    text = 'Error creating job: jobs.batch "shop-5" is forbidden: exceeded quota: jobs'
    warn(harness, harness.cron_job, "FailedCreate", text)
    await harness.reconcile()
    assert harness.ready() == ("False", "ProbeCannotStart")
    assert text in message(harness)
    assert harness.healthy() == ("Unknown", "NotReady")
    scheduled(harness, 5)  # the next attempt succeeds
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")


async def test_an_old_warning_about_a_cron_job_does_not_count(harness: OperatorHarness) -> None:
    await passing(harness)
    warn(harness, harness.cron_job, "FailedCreate", "Error creating job: timeout")
    harness.now += timedelta(minutes=5)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_a_run_that_did_not_start_keeps_its_cause_until_the_next_run(
    harness: OperatorHarness,
) -> None:
    await passing(harness)
    job = start_job(harness)
    pod = start_pod(harness, job, {})
    warn(harness, pod, "FailedScheduling", "0/1 nodes are available")
    harness.delete(PODS, pod["metadata"]["name"])  # as the Job controller does
    ended = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    harness.change(JOBS, {**job, "status": {"conditions": [ended]}}, "status")
    await harness.reconcile()
    assert harness.status["lastRun"]["detail"] == (
        "NotStarted: FailedScheduling: 0/1 nodes are available"
    )
    assert harness.ready() == ("False", "ProbeCannotStart")
    assert harness.healthy() == ("Unknown", "NotReady")
    harness.finish_run("job-2", termination_message("passed"), minute=10)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert harness.healthy() == ("True", "Passing")


async def test_a_slow_run_is_no_problem(harness: OperatorHarness) -> None:
    await passing(harness)
    running = {"containerStatuses": [{"name": "probe", "state": {"running": {}}}]}
    pod = start_pod(harness, start_job(harness), running)
    warn(harness, pod, "FailedScheduling", "0/1 nodes are available")  # before its start
    harness.now += timedelta(minutes=1)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_needs_no_permission_to_read_events(harness: OperatorHarness) -> None:
    await passing(harness)
    start_job(harness)
    harness.now += START_GRACE
    harness.cluster.fail("GET", "*/events*", 403)
    harness.cluster.fail("GET", "*/events*", 403)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
