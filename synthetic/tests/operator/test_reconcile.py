"""Reconciliation of one monitor."""

from datetime import timedelta

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import cron_job_name
from synthetic.operator.resources import CRON_JOBS, EVENTS, JOBS, MONITORS, PODS, Object
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio


def container(cron_job: Object) -> Object:
    """Return the probe's container."""
    found: Object = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return found


async def test_the_first_reconciliation_takes_two_writes(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(interval="1m")
    harness.now += timedelta(hours=5)
    for _ in range(3):
        await harness.reconcile()
    assert len(harness.cluster.writes) == 2
    assert condition(harness.status, "Healthy")["reason"] == "NoRunYet"


async def test_creates_the_cron_job_and_sets_ready(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    assert await harness.reconcile() is None
    assert "http://shop.example" in container(harness.cron_job)["args"]
    assert (
        harness.cron_job["metadata"]["ownerReferences"][0]["uid"]
        == harness.monitor["metadata"]["uid"]
    )
    assert harness.ready() == ("True", "Scheduled")
    assert condition(harness.status, "Healthy")["status"] == "Unknown"
    assert [view.target for view in harness.cache] == ["http://shop.example"]
    assert harness.events() == []


async def test_writes_nothing_without_changes(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    await harness.reconcile()
    before = list(harness.cluster.writes)
    for _ in range(3):
        await harness.reconcile()
    assert harness.cluster.writes == before


@pytest.mark.parametrize("field", ["schedule", "suspend"])
async def test_restores_an_edited_cron_job_and_records_an_event(
    harness: OperatorHarness, field: str
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    wanted = harness.cron_job["spec"]
    edited = {**wanted, field: {"schedule": "0 0 1 1 *", "suspend": True}[field]}
    harness.change(CRON_JOBS, {**harness.cron_job, "spec": edited})
    await harness.reconcile()
    assert harness.cron_job["spec"] == wanted
    assert harness.events() == ["CronJobRestored"]


async def test_removes_foreign_fields_of_a_cron_job(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await harness.reconcile()
    wanted = harness.cron_job["spec"]
    harness.change(CRON_JOBS, {**harness.cron_job, "spec": {**wanted, "foreign": True}})
    await harness.reconcile()
    assert harness.cron_job["spec"] == wanted
    assert harness.events() == ["CronJobRestored"]


async def test_recreates_a_deleted_cron_job_and_records_an_event(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    wanted = harness.cron_job
    harness.delete(CRON_JOBS, wanted["metadata"]["name"])
    await harness.reconcile()
    assert harness.cron_job["spec"] == wanted["spec"]
    assert harness.cron_job["metadata"]["uid"] != wanted["metadata"]["uid"]
    assert harness.events() == ["CronJobRestored"]


async def test_a_changed_spec_updates_the_cron_job_without_an_event(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    harness.update_spec(target={"url": "http://other.example"})
    await harness.reconcile()
    assert "http://other.example" in container(harness.cron_job)["args"]
    assert harness.status["observedGeneration"] == 2
    assert harness.events() == []


async def test_reports_a_foreign_cron_job_and_does_not_change_it(harness: OperatorHarness) -> None:
    monitor = harness.add_monitor()
    metadata = {"name": cron_job_name(monitor), "namespace": NAMESPACE}
    template: Object = {"spec": {"template": {"spec": {"containers": []}}}}
    theirs = {"metadata": metadata, "spec": {"schedule": "@daily", "jobTemplate": template}}
    before = harness.add(CRON_JOBS, theirs)
    harness.request_run("now")
    assert await harness.reconcile()  # its deletion is not watched
    assert harness.ready() == ("False", "NameTaken")
    assert harness.cron_job == before
    assert harness.cluster.list_kind("jobs") == []
    assert harness.events() == ["NameTaken"]
    harness.delete(CRON_JOBS, metadata["name"])
    assert await harness.reconcile() is None
    assert harness.ready() == ("True", "Scheduled")


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (422, "Refused")])
async def test_reports_a_rejected_cron_job_and_retries(
    harness: OperatorHarness, status: int, reason: str
) -> None:
    harness.add_monitor()
    harness.cluster.fail("POST", "*/cronjobs", status)
    await harness.reconcile()
    assert harness.ready() == ("False", reason)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_a_suspended_monitor_suspends_its_cron_job_and_is_unknown(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    harness.update_spec(suspend=True)
    await harness.reconcile()
    assert harness.cron_job["spec"]["suspend"] is True
    healthy = condition(harness.status, "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("Unknown", "Suspended")
    assert condition(harness.status, "Suspended")["status"] == "True"


async def test_reports_a_probe_that_cannot_start_without_its_secret(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(credentialsSecretRef={"name": "login"})
    job = harness.finish_run("job-1", termination_message("passed"))
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    (pod,) = harness.cluster.list_kind("pods")
    waiting = {"waiting": {"reason": "CreateContainerConfigError"}}
    status = {"containerStatuses": [{"name": "probe", "state": waiting}]}
    harness.change(PODS, {**pod, "status": status}, "status")
    await harness.reconcile()
    assert harness.ready() == ("False", "ProbeCannotStart")
    assert "CreateContainerConfigError" in condition(harness.status, "Ready")["message"]


async def test_a_deleted_monitor_leaves_the_cache_and_no_objects(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.request_run("now")
    await harness.reconcile()
    assert len(harness.cache) == 1
    harness.delete(MONITORS, "shop")
    before = list(harness.cluster.writes)
    await harness.reconcile()
    assert len(harness.cache) == 0
    assert harness.cluster.list_kind("cronjobs") == harness.cluster.list_kind("jobs") == []
    assert harness.cluster.writes == before


async def test_a_rejected_event_does_not_fail_the_reconciliation(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await harness.reconcile()
    harness.delete(CRON_JOBS, harness.cron_job["metadata"]["name"])
    harness.cluster.fail("POST", "*/events", 403)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert harness.events() == []


async def test_reports_the_failed_mount_of_a_probe_that_never_started(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", "", ended="Failed")
    (pod,) = harness.cluster.list_kind(PODS.plural)
    harness.change(PODS, {**pod, "status": {}}, "status")
    others = {
        "involvedObject": {"uid": "another"},
        "type": "Warning",
        "reason": "FailedMount",
        "message": "no",
    }
    mine = {
        "involvedObject": {"uid": pod["metadata"]["uid"]},
        "type": "Warning",
        "reason": "FailedMount",
        "message": 'MountVolume.SetUp failed for volume "credentials" : secret "login" not found',
    }
    for number, event in enumerate((others, mine, others)):
        harness.add(EVENTS, {"metadata": {"name": f"e{number}", "namespace": NAMESPACE}, **event})
    await harness.reconcile()
    assert (
        harness.status["lastRun"]["detail"] == 'NotStarted: FailedMount: secret "login" not found'
    )


async def test_counts_the_run_without_permission_to_read_events(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", "", ended="Failed")
    (pod,) = harness.cluster.list_kind(PODS.plural)
    harness.change(PODS, {**pod, "status": {}}, "status")
    harness.cluster.fail("GET", "*/events*", 403)
    await harness.reconcile()
    assert harness.status["lastRun"]["detail"] == "NotStarted"
