"""The status keeps its size limit when all that it contains is as long as it can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from synthetic.operator.conditions import Condition
from synthetic.operator.durations import Durations, Histogram
from synthetic.operator.history import History
from synthetic.operator.incident import Incident
from synthetic.operator.observation import HandledTriggers, Observation
from synthetic.operator.resources import DEPLOYMENTS
from synthetic.operator.run_requests import REVISION_ANNOTATION
from synthetic.operator.run_result import FAILED, Run
from synthetic.operator.spec import Spec
from synthetic.operator.status import (
    MAX_LOCATION_BYTES,
    MAX_STATUS_BYTES,
    MAX_STEP_BYTES,
    build_status,
)
from synthetic.operator.status_schema import (
    DURATION_BUCKETS,
    MAX_COUNT,
    MAX_INCIDENTS,
    MAX_LOCATIONS,
    MAX_STEPS,
)
from synthetic.operator.stored_status import read_status
from synthetic.operator.termination_message import EVIDENCE, PHASES
from tests.support.synthetic.kubernetes_objects import monitor
from tests.support.synthetic.operator_harness import OperatorHarness

NOW = datetime(2026, 2, 1, 10, 0, tzinfo=UTC)
HOURS = 31 * 24
KEPT_JOBS = 100


def failed(number: int, text: str) -> Run:
    """Return a failed run with long texts."""
    moment = NOW - timedelta(hours=HOURS - number)
    return Run(
        uid=f"{number:0>18}-job",
        job="j" * 63,
        result=FAILED,
        reason="assertion",
        step="s" * 64,
        detail=text,
        started_at=moment,
        finished_at=moment,
        trace_id="a" * 32,
        evidence=dict.fromkeys(EVIDENCE[:5], text[:200]),
    )


@pytest.mark.parametrize("character", ["x", "\xe9", "\U0001f600"], ids=["ascii", "latin", "emoji"])
def test_the_longest_status_is_within_the_limit_and_readable(character: str) -> None:
    text = character * 1000
    history = History()
    for number in range(HOURS):
        kept = [f"{uid:0>18}-job" for uid in range(number - KEPT_JOBS, number + 1)]
        history = history.count([failed(number, text)], kept)
    stored = monitor("m" * 63, schedule="0 9 * * *")
    record = {"health": "False", "at": "2026-01-31T09:00:00Z", "error": text[:300]}
    stored["status"] = {"notified": [{"name": f"{n}{'r' * 62}", **record} for n in range(5)]}
    ends = [NOW - timedelta(days=number) for number in range(MAX_INCIDENTS)]
    incidents = tuple(Incident(end - timedelta(hours=9), end, text[:80]) for end in reversed(ends))
    longest = Histogram((MAX_COUNT,) * DURATION_BUCKETS, MAX_COUNT)
    steps = {f"{number:0>64}": longest for number in range(MAX_STEPS)}
    durations = Durations(longest, steps, dict.fromkeys(PHASES, longest))
    history = replace(history, incidents=incidents, durations=durations)
    observation = Observation(
        ready=Condition("Ready", "False", "NoAddress", text),
        url=f"https://{'y' * 490}",
        cron_job="c" * 52,
        cron_job_generation=10**15,
        last=failed(HOURS, text),
        handled=HandledTriggers("r" * 200, {f"{n}{'d' * 62}": "1" * 20 for n in range(10)}),
        contender=text,
    )
    status = build_status(stored, Spec.from_monitor(stored), history, observation, NOW)
    assert MAX_STATUS_BYTES < len(orjson.dumps(status)) <= MAX_STATUS_BYTES + MAX_STEP_BYTES
    assert len(status["durations"]["steps"]) == MAX_STEPS
    assert read_status({"status": status}, NOW)[1] == []
    assert len(status["failures"]) == 1
    assert status["incidents"][-1].split()[0] == "2026-02-01T01:00:00Z"
    assert len(status["counted"]) > KEPT_JOBS - 1


@pytest.mark.parametrize("character", ["x", "\U0001f600"], ids=["ascii", "emoji"])
def test_the_longest_status_with_locations_is_within_their_limit(character: str) -> None:
    text = character * 1000
    names = [f"{number}{'l' * 62}" for number in range(MAX_LOCATIONS)]
    stored = monitor("m" * 63, locations=[{"name": name} for name in names])
    history = History().located(names, 1)
    for number in range(100):
        runs = [
            replace(failed(number, text), location=name, uid=f"{name[0]}{number:0>17}")
            for name in names
        ]
        history = history.count(runs, [run.uid for run in runs])
    observed = Observation(
        ready=Condition("Ready", "False", "NoAddress", text), url=f"https://{'y' * 490}"
    )
    places = {
        name: replace(observed, cron_job="c" * 52, last=replace(failed(1, text), location=name))
        for name in names
    }
    observed = replace(observed, locations=places)
    status = build_status(stored, Spec.from_monitor(stored), history, observed, NOW)
    assert len(orjson.dumps(status)) <= MAX_STATUS_BYTES + MAX_LOCATIONS * MAX_LOCATION_BYTES
    assert read_status({"status": status}, NOW)[1] == []
    assert min(len(entry["runs"]) for entry in status["locations"]) > 20
    assert status["totals"]["failed"] == 1000


@pytest.mark.anyio
async def test_a_long_name_and_revision_of_a_deployment_are_recorded_in_short(
    harness: OperatorHarness,
) -> None:
    names = [f"{'d' * 252}{end}" for end in "ab"]
    harness.add_monitor(runOnRollout={"deployments": names})
    for name in names:
        metadata = {"name": name, "generation": 1, "annotations": {REVISION_ANNOTATION: "1" * 200}}
        counts = dict.fromkeys(("updatedReplicas", "replicas", "availableReplicas"), 1)
        status = {"observedGeneration": 1, **counts}
        harness.add(DEPLOYMENTS, {"metadata": metadata, "spec": {"replicas": 1}, "status": status})
    await harness.reconcile()
    rollouts = harness.status["handled"]["rollouts"]
    assert [len(name) for name in rollouts] == [63, 63]
    assert set(rollouts.values()) == {"1" * 20}
