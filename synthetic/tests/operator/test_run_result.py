"""Classification of runs by Jobs, pods and termination messages."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synthetic.operator.run_result import DISRUPTED, ERROR, FAILED, PASSED, run_from_job
from synthetic.operator.termination_message import REASONS
from tests.operator.message_fuzzer import random_message
from tests.support.synthetic.kubernetes_objects import job, pod, termination_message

NOW = datetime(2026, 1, 31, 11, 0, tzinfo=UTC)
DRAINED = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
NOT_STARTED: dict[str, Any] = {
    "containerStatuses": [{"name": "probe", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]
}


def test_a_pass_after_a_retry_has_its_attempt() -> None:
    run = run_from_job(job(), [pod(termination_message("passed", attempt=2))], NOW)
    assert (run.result, run.attempt, run.duration_ms, run.reason) == (PASSED, 2, 812, "")


def test_a_failure_has_step_reason_and_http_status() -> None:
    message = termination_message("failed", reason="http_status", status=503)
    run = run_from_job(job(ended="Failed"), [pod(message, code=1)], NOW)
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
        ([pod(**NOT_STARTED)], "runner NotStarted: ImagePullBackOff"),
        ([{**pod(), "status": {}}], "runner NotStarted"),
        ([], "runner NoPod"),
        ([pod("Traceback", code=1)], "runner ExitCode1"),
    ],
)
def test_a_probe_that_cannot_run_is_an_error_of_the_monitor(
    pods: list[dict[str, Any]], summary: str
) -> None:
    run = run_from_job(job(ended="Failed"), pods, NOW)
    assert run.result == ERROR
    assert run.summary.endswith(summary)


def test_a_drained_node_is_a_disruption() -> None:
    run = run_from_job(
        job(ended="Failed"),
        [pod(termination_message("running"), code=143, conditions=DRAINED)],
        NOW,
    )
    assert (run.result, run.detail) == (DISRUPTED, "EvictionByEvictionAPI")


def test_a_failed_job_takes_precedence_over_its_message() -> None:
    assert (
        run_from_job(
            job(ended="Failed"), [pod(termination_message("passed"), code=137)], NOW
        ).result
        == ERROR
    )
    assert (
        run_from_job(
            job(ended="Failed"), [pod(termination_message("failed"), code=137)], NOW
        ).result
        == ERROR
    )


def test_a_probe_that_passed_beside_a_failed_container_passed() -> None:
    message = termination_message("passed")
    assert run_from_job(job(ended="Failed"), [pod(message)], NOW).result == PASSED
    assert run_from_job(job(ended="Failed"), [pod(message, code=137)], NOW).result == ERROR


@pytest.mark.parametrize("ended", ["Complete", "Failed"])
@pytest.mark.parametrize("result", ["passed", "failed"])
def test_a_message_of_another_journey_is_an_error(ended: str, result: str) -> None:
    container = {"name": "probe", "args": ["probe", "clients-crud", "--url", "http://shop.example"]}
    one = {**job(ended=ended), "spec": {"template": {"spec": {"containers": [container]}}}}
    code = int(ended == "Failed")
    own = pod(termination_message(result), code=code)
    foreign = pod(termination_message(result, journey="login"), code=code)
    assert run_from_job(one, [own], NOW).detail != "OtherJourney"
    run = run_from_job(one, [foreign], NOW)
    assert (run.result, run.detail) == (ERROR, "OtherJourney")


@pytest.mark.parametrize(
    "at", ["2099-01-31T10:00:05Z", "9999-12-31T23:59:59Z", "1999-01-01T00:00:00Z"]
)
@pytest.mark.parametrize("ended", ["Complete", "Failed"])
def test_the_times_of_a_run_are_between_the_creation_of_its_job_and_now(
    ended: str, at: str
) -> None:
    one = job(ended=ended, at=at)
    one["metadata"]["creationTimestamp"] = "2026-01-31T10:00:00Z"
    one["status"]["startTime"] = at
    run = run_from_job(one, [], NOW)
    assert NOW - timedelta(hours=1) <= run.started_at <= run.finished_at <= NOW


def test_uses_the_latest_of_several_pods() -> None:
    early = pod(termination_message("running"), code=143, conditions=DRAINED)
    late = pod(termination_message("failed", reason="schema"), code=1)
    late["metadata"]["creationTimestamp"] = "2026-01-31T10:00:30Z"
    assert run_from_job(job(ended="Failed"), [late, early], NOW).reason == "schema"


def test_handles_ten_thousand_random_messages() -> None:
    chance = random.Random(7)  # noqa: S311 - the same messages each time
    seen = set()
    for _ in range(10_000):
        run = run_from_job(job(ended="Failed"), [pod(random_message(chance), code=1)], NOW)
        assert re.fullmatch(r"[A-Za-z0-9_./-]{0,64}", run.step)
        assert run.reason in REASONS
        assert all(0 <= n < 2**31 for n in (run.duration_ms, run.http_status, run.attempt))
        seen.add(run.result)
    assert seen == {FAILED, ERROR}
