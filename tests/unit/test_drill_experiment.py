"""Tests of the run counts and the misses of a drill experiment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.drill.experiment import ALERT, Experiment, Row
from tests.drill.faults import Fault, Target
from tests.drill.observer import GROUP, Observer
from tests.support.cluster import Cluster

NAME = "drill-status-auth"


@dataclass
class FakeCluster(Cluster):
    """A cluster with one monitor: each request for a run ends the next run of a list."""

    runs: list[str] = field(default_factory=list)  # results of the next runs
    jobs: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    is_silent: bool = False  # sends no notification

    def kubectl(self, *arguments: str, namespaced: bool = True) -> str:  # noqa: ARG002 - kubectl's
        """End a run for each annotation."""
        if arguments[0] == "annotate":
            self.end_run()
        return ""

    def apply(self, manifests: str, *options: str, verb: str = "apply") -> str:  # noqa: ARG002 - as above
        """Accept every manifest."""
        return ""

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the Jobs."""
        assert kind == "jobs"
        return self.jobs

    def start_run(self) -> None:
        """Start a Job; ``end_run`` ends it."""
        number = len(self.jobs)
        metadata = {"uid": f"uid-{number}", "labels": {f"{GROUP}/monitor": NAME}}
        started = {"startTime": f"2026-01-31T10:{number:02}:00Z"}
        self.jobs.append({"metadata": metadata, "status": started})

    def end_run(self) -> None:
        """End the oldest active run, or start and end a new one."""
        if len(self.lines) == len(self.jobs):
            self.start_run()
        start, was_down = self.jobs[len(self.lines)]["status"]["startTime"], self.is_down
        result = self.runs.pop(0)
        why = {"failed": "health http_status 503", "error": "runner NoPod"}.get(result, "")
        self.lines.append(f"{start} {result} 80 {why}".rstrip())
        if self.is_down is not was_down and not self.is_silent:
            event = "unhealthy" if self.is_down else "healthy"
            self.notifications.append({"monitor": {"name": NAME}, "event": event, "message": why})

    @property
    def is_down(self) -> bool:
        """True if the last two runs with a result failed."""
        judged = [line for line in self.lines if " error " not in line]
        return len(judged) > 1 and all(" failed " in line for line in judged[-2:])

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Return a monitor like the API server, its alerts, or its notifications."""
        if "/services/" in request.url.path:
            return httpx.Response(200, json=self.notifications)
        if request.url.path == "/api/v1/query":
            found = [{"metric": {"alertname": ALERT}}] if self.is_down else []
            return httpx.Response(200, json={"data": {"result": found}})
        results = [line.split()[1] for line in self.lines]
        totals = {result: results.count(result) for result in ("passed", "failed", "error")}
        healthy = {"type": "Healthy", "status": "False" if self.is_down else "True"}
        last = {"reason": "http_status" if results and results[-1] == "failed" else ""}
        status = {"conditions": [healthy] if self.lines else [], "totals": totals}
        return httpx.Response(200, json={"status": {**status, "lastRun": last, "runs": self.lines}})


def drill(*runs: str, early: int = 0, reason: str = "http_status", is_silent: bool = False) -> Row:
    """Return the row of a fault; ``early`` runs start before it and end while it is active."""
    runs = ("passed", *runs, "passed")
    cluster = FakeCluster("tag", namespace="here", runs=[*runs], is_silent=is_silent)

    @contextmanager
    def fault(_: Target, __: str) -> Iterator[None]:
        for _number in range(early):
            cluster.start_run()
        yield

    with httpx.Client(
        transport=httpx.MockTransport(cluster.respond), base_url="http://here.invalid"
    ) as http:
        observer = Observer(http, http, "here")
        target = Target(cluster, "http://here.invalid")
        return Experiment(target, observer, Fault("status", fault, reason), "auth", "request").run()


def test_a_fault_found_at_once_is_ok() -> None:
    row = drill("failed", "failed")
    assert (row.runs, row.reason, row.summary) == (2, "http_status", "ok")


def test_ignores_runs_started_before_the_fault() -> None:
    row = drill("passed", "passed", "failed", "failed", early=2)
    assert (row.runs, row.summary) == (2, "ok")


def test_a_run_that_passed_during_the_fault_is_a_miss() -> None:
    row = drill("passed", "passed", "failed", "failed", early=1)
    assert row.runs == 3
    (miss,) = row.misses
    assert miss.startswith("3 runs: 2026-01-31T10:02:00Z passed 80, 2026-01-31T10:03:00Z failed")


def test_counts_inconclusive_runs_separately() -> None:
    row = drill("failed", "error", "failed")
    assert (row.runs, row.summary) == (2, "ok, 1 without a verdict")


def test_an_unexpected_reason_is_a_miss() -> None:
    (miss,) = drill("failed", "failed", reason="timeout").misses
    assert miss.startswith("the reason is http_status, not timeout: 2026-01-31T10:01:00Z failed")


def test_a_fault_without_a_notification_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.drill.experiment.NOTIFICATION_LIMIT_SECONDS", 0.0)
    assert "no notification: unhealthy" in drill("failed", "failed", is_silent=True).summary


def test_an_undetected_fault_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.drill.experiment.DETECTION_LIMIT_SECONDS", 0.0)
    assert "Healthy is True" in drill("passed").summary
