"""Classification of runs by Jobs, pods and termination messages."""

import random
import re
from typing import Any

import pytest

from synthetic.operator.run_result import DISRUPTED, ERROR, FAILED, PASSED, run_from_job
from synthetic.operator.termination_message import REASONS
from tests.operator.message_fuzzer import random_message
from tests.support.synthetic.kubernetes_objects import job, pod, termination_message

DRAINED = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
NOT_STARTED: dict[str, Any] = {
    "containerStatuses": [{"name": "probe", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]
}


def test_a_pass_after_a_retry_has_its_attempt() -> None:
    run = run_from_job(job(), [pod(termination_message("passed", attempt=2))])
    assert (run.result, run.attempt, run.duration_ms, run.reason) == (PASSED, 2, 812, "")


def test_a_failure_has_step_reason_and_http_status() -> None:
    message = termination_message("failed", reason="http_status", status=503)
    run = run_from_job(job(ended="Failed"), [pod(message, code=1)])
    assert (run.result, run.summary) == (FAILED, "createClient http_status 503")
    assert run.trace_id.endswith("1")


@pytest.mark.parametrize(
    ("pods", "summary"),
    [
        (
            [pod(termination_message("error", reason="runner", status=0), code=2)],
            "createClient runner",
        ),
        (
            [pod(termination_message("running"), code=137, terminated={"reason": "OOMKilled"})],
            "createClient runner 201 OOMKilled",
        ),
        (
            [pod(termination_message("running"), code=137, reason="DeadlineExceeded")],
            "DeadlineExceeded",
        ),
        ([pod(termination_message("running"), code=137)], "createClient runner 201 ExitCode137"),
        ([pod(**NOT_STARTED)], "runner ImagePullBackOff"),
        ([{**pod(), "status": {}}], "runner NotStarted"),
        ([], "runner NoPod"),
        ([pod("Traceback", code=1)], "runner ExitCode1"),
    ],
)
def test_a_probe_that_cannot_run_is_an_error_of_the_monitor(
    pods: list[dict[str, Any]], summary: str
) -> None:
    run = run_from_job(job(ended="Failed"), pods)
    assert run.result == ERROR
    assert run.summary.endswith(summary)


def test_a_drained_node_is_a_disruption() -> None:
    run = run_from_job(
        job(ended="Failed"), [pod(termination_message("running"), code=143, conditions=DRAINED)]
    )
    assert (run.result, run.detail) == (DISRUPTED, "EvictionByEvictionAPI")


def test_a_failed_job_takes_precedence_over_its_message() -> None:
    assert (
        run_from_job(job(ended="Failed"), [pod(termination_message("passed"), code=137)]).result
        == ERROR
    )
    assert (
        run_from_job(job(ended="Failed"), [pod(termination_message("failed"), code=137)]).result
        == ERROR
    )


def test_uses_the_latest_of_several_pods() -> None:
    early = pod(termination_message("running"), code=143, conditions=DRAINED)
    late = pod(termination_message("failed", reason="schema"), code=1)
    late["metadata"]["creationTimestamp"] = "2026-01-31T10:00:30Z"
    assert run_from_job(job(ended="Failed"), [late, early]).reason == "schema"


def test_handles_ten_thousand_random_messages() -> None:
    chance = random.Random(7)  # noqa: S311 - the same messages each time
    seen = set()
    for _ in range(10_000):
        run = run_from_job(job(ended="Failed"), [pod(random_message(chance), code=1)])
        assert re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", run.step)
        assert run.reason in REASONS
        assert all(0 <= n < 2**31 for n in (run.duration_ms, run.http_status, run.attempt))
        seen.add(run.result)
    assert seen == {FAILED, ERROR}
