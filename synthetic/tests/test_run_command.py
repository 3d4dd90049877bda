"""`synthetic run`: requested runs, their results as exit codes, interruption."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.resources import EVENTS, JOBS, PODS, Object
from synthetic.operator.start_problems import START_GRACE
from tests.support.synthetic.kubernetes_objects import pod, termination_message
from tests.support.synthetic.object_api import command, synthetic
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness
from tests.support.synthetic.operator_process import PATIENCE

pytestmark = pytest.mark.anyio

EVIDENCE = {"condition": "$response.body#/n == 2", "left": "1", "right": "2"}
FAILED = termination_message("failed", reason="assertion", status=200, evidence=EVIDENCE)


async def until_requested(harness: OperatorHarness) -> None:
    """Wait until a run is requested."""
    async with asyncio.timeout(PATIENCE):
        while not harness.monitor["metadata"].get("annotations"):  # noqa: ASYNC110 - no notifications
            await asyncio.sleep(0.01)


async def requested(harness: OperatorHarness) -> Object:
    """Return the Job of a requested run, once the operator has created it."""
    await until_requested(harness)
    await harness.reconcile()
    (job,) = harness.cluster.list_kind("jobs")
    return job


def finish(harness: OperatorHarness, job: Object, message: object, *, ended: str) -> None:
    """End the Job of a requested run."""
    probe = pod(message, code=int(ended == "Failed"))
    labels = {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
    probe["metadata"] |= {"name": "requested", "namespace": NAMESPACE, "labels": labels}
    harness.add(PODS, probe)
    at = f"{harness.now:%Y-%m-%dT%H:%M:%SZ}"
    ending = {"type": ended, "status": "True", "lastTransitionTime": at}
    harness.change(JOBS, {**job, "status": {"conditions": [ending]}}, "status")


@pytest.mark.parametrize(
    ("message", "ended", "code", "text"),
    [
        (termination_message("passed"), "Complete", 0, "here/shop passed\nJob shop-"),
        (FAILED, "Failed", 1, "$response.body#/n == 2 (left 1, right 2)"),
        ("", "Failed", 2, "here/shop error\n"),
    ],
    ids=["passed", "failed", "error"],
)
async def test_the_exit_code_of_a_run_is_its_result(
    harness: OperatorHarness, message: object, ended: str, code: int, text: str
) -> None:
    harness.add_monitor()
    running = asyncio.create_task(command("run", "shop", "--wait"))
    job = await requested(harness)
    finish(harness, job, message, ended=ended)
    done = await running
    assert (done.code, done.stderr) == (code, "")
    assert text in done.stdout


async def test_a_run_whose_job_is_deleted_at_once_has_the_result_of_the_status(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(history={"success": 0, "failed": 0})
    running = asyncio.create_task(command("run", "shop", "--wait"))
    job = await requested(harness)
    finish(harness, job, FAILED, ended="Failed")
    await harness.reconcile()
    assert harness.cluster.list_kind("jobs") == []
    assert (await running).code == 1


async def test_a_run_without_an_operator_has_no_result(harness: OperatorHarness) -> None:
    harness.add_monitor()
    done = await command("run", "shop", "--wait", "--timeout", "0.1")
    assert (done.code, done.stdout) == (2, "")
    assert "here/shop: no Job: is the operator running? after 0.1 s" in done.stderr


SCHEDULING = "0/1 nodes are available: 1 node(s) didn't match the node selector."


def warn(harness: OperatorHarness, job: Object) -> None:
    """Record that the pod of a Job has no node."""
    metadata = job["metadata"]
    event = {
        "metadata": {"name": "unschedulable", "namespace": NAMESPACE},
        "involvedObject": {"uid": metadata["uid"], "name": metadata["name"], "kind": "Job"},
        "type": "Warning",
        "reason": "FailedScheduling",
        "message": SCHEDULING,
        "lastTimestamp": f"{harness.now:%Y-%m-%dT%H:%M:%SZ}",
    }
    harness.add(EVENTS, event)


async def test_a_run_that_cannot_start_ends_with_the_cause(harness: OperatorHarness) -> None:
    harness.add_monitor()
    running = asyncio.create_task(command("run", "shop", "--wait"))
    job = await requested(harness)
    warn(harness, job)
    harness.now = datetime.now(UTC) + START_GRACE
    await harness.reconcile()
    done = await running
    assert (done.code, done.stdout) == (2, "")
    cause = f"The Job {job['metadata']['name']} does not start: FailedScheduling: {SCHEDULING}"
    assert f"here/shop: Ready=False (ProbeCannotStart): {cause}\n" in done.stderr


async def test_a_run_without_a_result_in_time_ends_with_the_condition_and_the_event(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    running = asyncio.create_task(command("run", "shop", "--wait", "--timeout", "2"))
    warn(harness, await requested(harness))
    done = await running
    assert (done.code, done.stdout) == (2, "")
    assert "here/shop: no result after 2 s; Ready=True (Scheduled): " in done.stderr
    assert f"; the newest warning is FailedScheduling: {SCHEDULING}\n" in done.stderr


async def test_an_earlier_run_that_does_not_start_ends_no_other(harness: OperatorHarness) -> None:
    harness.add_monitor()
    running = asyncio.create_task(command("run", "shop", "--wait", "--timeout", "2"))
    await requested(harness)
    ready = condition(harness.status, "Ready")
    cause = "The Job shop-0 does not start: FailedMount"
    ready |= {"status": "False", "reason": "ProbeCannotStart", "message": cause}
    harness.change_status({**harness.status, "conditions": [ready]})
    done = await running
    assert f"no result after 2 s; Ready=False (ProbeCannotStart): {cause}\n" in done.stderr


async def test_a_run_is_requested_without_waiting(harness: OperatorHarness) -> None:
    harness.add_monitor()
    assert (await command("run", "shop")).stdout == "a run of here/shop is requested\n"
    await requested(harness)


def test_a_limit_of_a_run_without_waiting_is_refused() -> None:
    done = synthetic("run", "shop", "--timeout", "5")
    message = "synthetic run: --timeout has no effect without --wait: add --wait\n"
    assert (done.code, done.stderr) == (2, message)


async def test_ctrl_c_ends_a_command_without_a_traceback(harness: OperatorHarness) -> None:
    harness.add_monitor()
    program = [sys.executable, "-m", "synthetic.cli", "run", "shop", "--wait"]
    environment = {**os.environ, "KUBECONFIG": str(harness.kubeconfig)}
    process = await asyncio.create_subprocess_exec(*program, env=environment, stderr=PIPE)
    await until_requested(harness)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE):
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"")
