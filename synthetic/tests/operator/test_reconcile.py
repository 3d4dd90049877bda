"""One monitor at a time: what is made of it, whatever else happens in the cluster."""

from datetime import timedelta

import pytest
from monitors import said
from stage import HERE, Stage

from synthetic.operator.api_client import (
    CRON_JOBS,
    EVENTS,
    INGRESSES,
    JOBS,
    MONITORS,
    PODS,
    Object,
)
from synthetic.operator.cronjob import cron_job_name
from synthetic.operator.status import condition

pytestmark = pytest.mark.anyio


def container(cron_job: Object) -> Object:
    """Return the probe's container."""
    found: Object = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return found


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
    stage.respec(target={"url": "http://other.example"})
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
    stage.ask_for_a_run("now")
    assert await stage.look() is True  # of its end, nobody tells
    assert stage.ready() == ("False", "NameTaken")
    assert stage.cron_job == before
    assert stage.cluster.of_kind("jobs") == []
    assert stage.events() == ["NameTaken"]
    stage.delete(CRON_JOBS, metadata["name"])
    assert await stage.look() is False
    assert stage.ready() == ("True", "Scheduled")


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


async def test_a_suspended_monitor_suspends_its_cron_job_and_knows_nothing(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    stage.respec(suspend=True)
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
    stage.ask_for_a_run("now")
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
