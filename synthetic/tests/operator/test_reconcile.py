"""One monitor at a time: what is made of it, whatever else happens in the cluster."""

from datetime import timedelta
from typing import Any

import pytest
from monitors import said
from stage import HERE, Stage

from synthetic.operator.api import (
    CRON_JOBS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    JOBS,
    MONITORS,
    PODS,
    ApiError,
    Object,
)
from synthetic.operator.cronjob import UID_LABEL, cron_job_name
from synthetic.operator.reconcile import RUN_REQUESTED
from synthetic.operator.status import condition

pytestmark = pytest.mark.anyio


def container(cron_job: Object) -> Object:
    """Return the probe's container."""
    found: Object = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return found


def ask_for_a_run(stage: Stage, when: str) -> None:
    """Annotate the monitor as a user would."""
    metadata = {**stage.monitor["metadata"], "annotations": {RUN_REQUESTED: when}}
    stage.change(MONITORS, {**stage.monitor, "metadata": metadata})


def respec(stage: Stage, **spec: Any) -> None:
    """Change fields of the monitor's spec as a user would."""
    stage.change(MONITORS, {**stage.monitor, "spec": {**stage.monitor["spec"], **spec}})


def deployment(revision: int, available: int = 2) -> Object:
    """Return a Deployment in the midst of a rollout, or after it."""
    replicas = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": available}
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {
        "metadata": {"name": "clients", "namespace": HERE, "annotations": annotations},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, **replicas},
    }


async def test_an_old_monitor_that_nobody_has_looked_at_takes_two_writes(stage: Stage) -> None:
    stage.add_monitor(interval="1m")
    stage.now += timedelta(hours=5)
    for _ in range(3):
        await stage.look()
    assert len(stage.cluster.writes) == 2
    assert condition(stage.status, "Healthy")["reason"] == "NoRunYet"


async def test_a_monitor_gets_its_cron_job_and_says_that_it_is_ready(stage: Stage) -> None:
    stage.add_monitor()
    assert await stage.look() is False
    assert "http://shop.example" in container(stage.cron_job)["args"]
    assert (
        stage.cron_job["metadata"]["ownerReferences"][0]["uid"] == stage.monitor["metadata"]["uid"]
    )
    assert stage.ready() == ("True", "Scheduled")
    assert condition(stage.status, "Healthy")["status"] == "Unknown"
    assert [view.target for view in stage.store] == ["http://shop.example"]
    assert stage.events() == []


async def test_nothing_is_written_when_nothing_has_changed(stage: Stage) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"))
    await stage.look()
    before = list(stage.cluster.writes)
    for _ in range(3):
        await stage.look()
    assert stage.cluster.writes == before


@pytest.mark.parametrize("field", ["schedule", "suspend"])
async def test_an_edited_cron_job_is_put_back_and_an_event_says_so(
    stage: Stage, field: str
) -> None:
    stage.add_monitor()
    await stage.look()
    wanted = stage.cron_job["spec"]
    edited = {**wanted, field: {"schedule": "0 0 1 1 *", "suspend": True}[field]}
    stage.change(CRON_JOBS, {**stage.cron_job, "spec": edited})
    await stage.look()
    assert stage.cron_job["spec"] == wanted
    assert stage.events() == ["CronJobRestored"]


async def test_what_somebody_added_to_a_cron_job_goes_again(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    wanted = stage.cron_job["spec"]
    stage.change(CRON_JOBS, {**stage.cron_job, "spec": {**wanted, "foreign": True}})
    await stage.look()
    assert stage.cron_job["spec"] == wanted
    assert stage.events() == ["CronJobRestored"]


async def test_a_deleted_cron_job_is_made_again_and_an_event_says_so(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    wanted = stage.cron_job
    stage.delete(CRON_JOBS, wanted["metadata"]["name"])
    await stage.look()
    assert stage.cron_job["spec"] == wanted["spec"]
    assert stage.cron_job["metadata"]["uid"] != wanted["metadata"]["uid"]
    assert stage.events() == ["CronJobRestored"]


async def test_a_changed_spec_changes_the_cron_job_and_is_no_restoration(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    respec(stage, target={"url": "http://other.example"})
    await stage.look()
    assert "http://other.example" in container(stage.cron_job)["args"]
    assert stage.status["observedGeneration"] == 2
    assert stage.events() == []


async def test_a_foreign_cron_job_is_told_and_left_alone(stage: Stage) -> None:
    monitor = stage.add_monitor()
    metadata = {"name": cron_job_name(monitor), "namespace": HERE}
    template: Object = {"spec": {"template": {"spec": {"containers": []}}}}
    theirs = {"metadata": metadata, "spec": {"schedule": "@daily", "jobTemplate": template}}
    before = stage.add(CRON_JOBS, theirs)
    ask_for_a_run(stage, "now")
    assert await stage.look() is True  # of its end, nobody tells
    assert stage.ready() == ("False", "NameTaken")
    assert stage.cron_job == before
    assert stage.cluster.of_kind("jobs") == []
    assert stage.events() == ["NameTaken"]
    stage.delete(CRON_JOBS, metadata["name"])
    assert await stage.look() is False
    assert stage.ready() == ("True", "Scheduled")


async def test_an_ended_run_is_counted_once_even_by_an_operator_that_starts_anew(
    stage: Stage,
) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"), minute=1)
    failure = said("failed", reason="http_status", status=503)
    stage.end_run("job-2", failure, ended="Failed", minute=6)
    for _ in range(3):
        await stage.look()
    assert (stage.status["totals"]["passed"], stage.status["totals"]["failed"]) == (1, 1)
    last = stage.status["lastRun"]
    assert (last["job"], last["step"], last["httpStatus"]) == ("job-2", "createClient", 503)
    assert stage.status["consecutiveFailures"] == 1
    assert len(stage.status["runs"]) == 2


async def test_a_run_that_goes_on_is_not_counted_yet(stage: Stage) -> None:
    stage.add_monitor()
    job = stage.end_run("job-1", said("passed"))
    stage.change(JOBS, {**job, "status": {"active": 1}}, "status")
    await stage.look()
    assert sum(stage.status["totals"].values()) == 0
    stage.change(JOBS, job, "status")
    await stage.look()
    assert stage.status["totals"]["passed"] == 1


async def test_a_jobs_run_stays_counted_when_the_job_is_gone(stage: Stage) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"))
    await stage.look()
    stage.delete(JOBS, "job-1")
    await stage.look()
    assert stage.status["totals"]["passed"] == 1
    assert stage.status["counted"] == []


async def test_old_jobs_are_deleted_once_they_are_counted(stage: Stage) -> None:
    stage.add_monitor(history={"success": 2, "failed": 1})
    for number in range(5):
        stage.end_run(f"passed-{number}", said("passed"), minute=number)
        failed = said("failed", reason="dns")
        stage.end_run(f"failed-{number}", failed, ended="Failed", minute=number)
    await stage.look()
    left = [job["metadata"]["name"] for job in stage.cluster.of_kind("jobs")]
    assert left == ["failed-4", "passed-3", "passed-4"]
    assert (stage.status["totals"]["passed"], stage.status["totals"]["failed"]) == (5, 5)


async def test_jobs_of_an_earlier_monitor_of_that_name_do_not_count(stage: Stage) -> None:
    stage.add_monitor()
    job = stage.end_run("job-1", said("passed"))
    labels = {UID_LABEL: "that-of-the-earlier"}
    stage.change(JOBS, {**job, "metadata": {**job["metadata"], "labels": labels}})
    await stage.look()
    assert stage.status["totals"]["passed"] == 0


async def test_three_failures_make_it_unhealthy_and_a_pass_makes_it_well(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    stage.end_run("job-0", said("passed"), minute=0)
    await stage.look()
    for number in range(1, 4):
        stage.end_run(f"job-{number}", said("failed", reason="dns"), ended="Failed", minute=number)
        await stage.look()
    healthy = condition(stage.status, "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("False", "Failing")
    assert "dns" in healthy["message"]
    stage.end_run("job-4", said("passed"), minute=4)
    await stage.look()
    assert condition(stage.status, "Healthy")["status"] == "True"
    assert sorted(stage.events()) == ["Healthy", "Unhealthy"]


async def test_a_write_that_another_one_forestalled_is_refused_and_counts_nothing_twice(
    stage: Stage,
) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"))
    stage.cluster.fail("PUT", "*/status", 409)
    with pytest.raises(ApiError) as refused:
        await stage.look()
    assert refused.value.status == 409
    await stage.look()
    assert stage.status["totals"]["passed"] == 1
    assert stage.events() == []


async def test_a_status_is_not_written_over_a_newer_monitor(stage: Stage) -> None:
    stage.add_monitor()
    stale = dict(stage.monitor)
    respec(stage, timeoutSeconds=60)
    with pytest.raises(ApiError, match="modified"):
        await stage.api.replace(MONITORS, {**stale, "status": {"schedule": "old"}}, "status")
    assert stage.status == {}


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (422, "Refused")])
async def test_a_cron_job_that_is_refused_is_told_and_tried_again(
    stage: Stage, status: int, reason: str
) -> None:
    stage.add_monitor()
    stage.cluster.fail("POST", "*/cronjobs", status)
    await stage.look()
    assert stage.ready() == ("False", reason)
    await stage.look()
    assert stage.ready() == ("True", "Scheduled")


async def test_each_request_for_a_run_starts_one_job(stage: Stage) -> None:
    stage.add_monitor()
    ask_for_a_run(stage, "2026-01-31T09:00:00Z")
    for _ in range(3):
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    assert job["spec"] == stage.cron_job["spec"]["jobTemplate"]["spec"]
    assert job["metadata"]["labels"][UID_LABEL] == stage.monitor["metadata"]["uid"]
    stage.delete(JOBS, job["metadata"]["name"])
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []


async def test_a_request_waits_for_the_run_that_goes_on(stage: Stage) -> None:
    stage.add_monitor()
    for when in ("first", "second"):
        ask_for_a_run(stage, when)
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    stage.change(JOBS, {**job, "status": ended}, "status")
    await stage.look()
    assert len(stage.cluster.of_kind("jobs")) == 2
    assert stage.status["handled"]["runRequestedAt"] == "second"


async def test_a_request_whose_status_was_not_written_starts_no_second_job(stage: Stage) -> None:
    stage.add_monitor(concurrencyPolicy="Allow")
    ask_for_a_run(stage, "now")
    stage.cluster.fail("PUT", "*/status", 500)
    with pytest.raises(ApiError):
        await stage.look()
    await stage.look()
    assert len(stage.cluster.of_kind("jobs")) == 1


async def test_a_finished_rollout_starts_one_job(stage: Stage) -> None:
    stage.add_monitor(runOnRollout={"deployments": ["clients"]})
    stage.add(DEPLOYMENTS, deployment(1))
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []
    stage.change(DEPLOYMENTS, deployment(2))
    stage.change(DEPLOYMENTS, deployment(2, available=1), "status")
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []
    stage.change(DEPLOYMENTS, deployment(2), "status")
    for _ in range(2):
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    assert "rollout clients 2" in str(job["metadata"]["annotations"])


async def test_a_suspended_monitor_suspends_its_cron_job_and_knows_nothing(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    respec(stage, suspend=True)
    await stage.look()
    assert stage.cron_job["spec"]["suspend"] is True
    healthy = condition(stage.status, "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("Unknown", "Suspended")
    assert condition(stage.status, "Suspended")["status"] == "True"


async def test_a_schedule_that_never_fires_is_told_and_makes_nothing(stage: Stage) -> None:
    stage.add_monitor(schedule="0 0 30 2 *")
    await stage.look()
    assert stage.ready() == ("False", "InvalidSchedule")
    assert stage.cluster.of_kind("cronjobs") == []


async def test_an_ingress_is_waited_for_and_then_gives_the_address(stage: Stage) -> None:
    stage.add_monitor(target={"ingress": {"name": "front"}})
    assert await stage.look() is True
    assert stage.ready() == ("False", "NoIngress")
    ingress: Object = {"metadata": {"name": "front", "namespace": HERE}, "spec": {}}
    ingress = stage.add(INGRESSES, ingress)
    assert await stage.look() is True
    assert stage.ready() == ("False", "NoAddress")
    points = {"loadBalancer": {"ingress": [{"ip": "2001:db8::1"}]}}
    stage.change(INGRESSES, {**ingress, "status": points}, "status")
    assert await stage.look() is False
    assert stage.status["target"] == "http://[2001:db8::1]"
    rules = [{"host": "shop.example"}]
    secure = {"tls": [{"secretName": "front"}], "rules": rules}
    stage.change(INGRESSES, {**ingress, "spec": secure})
    await stage.look()
    assert "https://shop.example" in container(stage.cron_job)["args"]


async def test_a_probe_that_cannot_start_for_want_of_its_secret_is_told(stage: Stage) -> None:
    stage.add_monitor(credentialsSecretRef={"name": "login"})
    job = stage.end_run("job-1", said("passed"))
    stage.change(JOBS, {**job, "status": {"active": 1}}, "status")
    (pod,) = stage.cluster.of_kind("pods")
    waiting = {"waiting": {"reason": "CreateContainerConfigError"}}
    status = {"containerStatuses": [{"name": "probe", "state": waiting}]}
    stage.change(PODS, {**pod, "status": status}, "status")
    await stage.look()
    assert stage.ready() == ("False", "ProbeCannotStart")
    assert "CreateContainerConfigError" in condition(stage.status, "Ready")["message"]


async def test_a_monitor_that_is_gone_is_forgotten_with_all_that_it_owned(stage: Stage) -> None:
    stage.add_monitor()
    ask_for_a_run(stage, "now")
    await stage.look()
    assert len(stage.store) == 1
    stage.delete(MONITORS, "shop")
    before = list(stage.cluster.writes)
    await stage.look()
    assert len(stage.store) == 0
    assert stage.cluster.of_kind("cronjobs") == stage.cluster.of_kind("jobs") == []
    assert stage.cluster.writes == before


async def test_an_event_that_is_refused_does_not_stop_the_work(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    stage.delete(CRON_JOBS, stage.cron_job["metadata"]["name"])
    stage.cluster.fail("POST", "*/events", 403)
    await stage.look()
    assert stage.ready() == ("True", "Scheduled")
    assert stage.events() == []


async def test_a_probe_that_never_started_tells_what_it_waited_for(stage: Stage) -> None:
    stage.add_monitor()
    stage.end_run("job-1", "", ended="Failed")
    (pod,) = stage.cluster.of_kind(PODS.plural)
    stage.change(PODS, {**pod, "status": {}}, "status")
    others = {"involvedObject": {"uid": "another"}, "reason": "FailedMount", "message": "no"}
    mine = {
        "involvedObject": {"uid": pod["metadata"]["uid"]},
        "reason": "FailedMount",
        "message": 'MountVolume.SetUp failed for volume "credentials" : secret "login" not found',
    }
    for number, event in enumerate((others, mine, others)):
        stage.add(EVENTS, {"metadata": {"name": f"e{number}", "namespace": HERE}, **event})
    await stage.look()
    assert stage.status["lastRun"]["detail"] == 'NotStarted: secret "login" not found'


async def test_without_the_right_to_read_events_it_still_counts_the_run(stage: Stage) -> None:
    stage.add_monitor()
    stage.end_run("job-1", "", ended="Failed")
    (pod,) = stage.cluster.of_kind(PODS.plural)
    stage.change(PODS, {**pod, "status": {}}, "status")
    stage.cluster.fail("GET", "*/events*", 403)
    await stage.look()
    assert stage.status["lastRun"]["detail"] == "NotStarted"
