"""What an exercise of the drill counts, and what it calls a miss."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.drill.experiment import ALERT, Exercise, Row
from tests.drill.faults import Fault, Site
from tests.drill.observer import GROUP, Lookout
from tests.support.cluster import Cluster

NAME = "drill-status-auth"


@dataclass
class Monitored(Cluster):
    """A cluster with one monitor: each request for a run ends the next one, as it is listed."""

    runs: list[str] = field(default_factory=list)  # results that are to come
    jobs: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def kubectl(self, *arguments: str, namespaced: bool = True) -> str:  # noqa: ARG002 - kubectl's
        """End a run when one is asked for."""
        if arguments[0] == "annotate":
            self.end_a_run()
        return ""

    def apply(self, manifests: str, *options: str, verb: str = "apply") -> str:  # noqa: ARG002 - as above
        """Take everything."""
        return ""

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the Jobs."""
        assert kind == "jobs"
        return self.jobs

    def begin_a_run(self) -> None:
        """Start a Job; it may end much later."""
        number = len(self.jobs)
        metadata = {"uid": f"uid-{number}", "labels": {f"{GROUP}/monitor": NAME}}
        started = {"startTime": f"2026-01-31T10:{number:02}:00Z"}
        self.jobs.append({"metadata": metadata, "status": started})

    def end_a_run(self) -> None:
        """End the oldest run that goes on, or one that begins only now."""
        if len(self.lines) == len(self.jobs):
            self.begin_a_run()
        start = self.jobs[len(self.lines)]["status"]["startTime"]
        result = self.runs.pop(0)
        why = {"failed": "health http_status 503", "error": "runner NoPod"}.get(result, "")
        self.lines.append(f"{start} {result} 80 {why}".rstrip())

    @property
    def is_down(self) -> bool:
        """Whether the last two runs that came to a verdict failed."""
        judged = [line for line in self.lines if " error " not in line]
        return len(judged) > 1 and all(" failed " in line for line in judged[-2:])

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API server does for a monitor, and Prometheus for its alerts."""
        if request.url.path == "/api/v1/query":
            found = [{"metric": {"alertname": ALERT}}] if self.is_down else []
            return httpx.Response(200, json={"data": {"result": found}})
        results = [line.split()[1] for line in self.lines]
        totals = {result: results.count(result) for result in ("passed", "failed", "error")}
        healthy = {"type": "Healthy", "status": "False" if self.is_down else "True"}
        last = {"reason": "http_status" if results and results[-1] == "failed" else ""}
        status = {"conditions": [healthy] if self.lines else [], "totals": totals}
        return httpx.Response(200, json={"status": {**status, "lastRun": last, "runs": self.lines}})


def drill(*runs: str, early: int = 0, reason: str = "http_status") -> Row:
    """Return the row of a fault, before which ``early`` runs begin that end when it is in force."""
    cluster = Monitored("tag", namespace="here", runs=["passed", *runs, "passed"])

    @contextmanager
    def fault(_: Site, __: str) -> Iterator[None]:
        for _number in range(early):
            cluster.begin_a_run()
        yield

    with httpx.Client(
        transport=httpx.MockTransport(cluster.answer), base_url="http://here.invalid"
    ) as http:
        lookout = Lookout(http, http, "here")
        site = Site(cluster, "http://here.invalid")
        return Exercise(site, lookout, Fault("status", fault, reason), "auth", "request").run()


def test_a_fault_that_is_found_at_once_is_well() -> None:
    row = drill("failed", "failed")
    assert (row.runs, row.reason, row.told) == (2, "http_status", "ok")


def test_runs_that_began_before_the_fault_do_not_count() -> None:
    row = drill("passed", "passed", "failed", "failed", early=2)
    assert (row.runs, row.told) == (2, "ok")


def test_a_run_that_began_in_the_fault_and_passed_is_a_miss() -> None:
    row = drill("passed", "passed", "failed", "failed", early=1)
    assert row.runs == 3
    (told,) = row.misses
    assert told.startswith("3 runs: 2026-01-31T10:02:00Z passed 80, 2026-01-31T10:03:00Z failed")


def test_a_run_without_a_verdict_is_told_apart() -> None:
    row = drill("failed", "error", "failed")
    assert (row.runs, row.told) == (2, "ok, 1 without a verdict")


def test_another_reason_is_a_miss() -> None:
    assert drill("failed", "failed", reason="timeout").told == "the reason is not timeout"


def test_a_fault_that_is_never_found_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.drill.experiment.FOUND_WITHIN", 0.0)
    assert "Healthy is True" in drill("passed").told
