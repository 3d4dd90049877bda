"""Results of a run and of its steps, and the errors that end them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

Reason = Literal[
    "dns",
    "connect",
    "tls",
    "timeout",
    "http_status",
    "schema",
    "assertion",
    "auth",
    "teardown",
    "runner",
]
REASONS: tuple[str, ...] = get_args(Reason)

Result = Literal["running", "passed", "failed", "error"]


class ProbeError(Exception):
    """The probe cannot run; the message has the cause and the remedy."""


class StepError(Exception):
    """A step failed."""

    def __init__(
        self, reason: Reason, detail: str, evidence: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Set the reason, the detail in a sentence, and the values that the check has seen."""
        super().__init__(detail)
        self.reason: Reason = reason
        self.evidence = evidence


def public_error(reason: Reason, detail: str) -> StepError:
    """Return an error whose detail has no value of a response or of an input."""
    return StepError(reason, detail, [{"problem": detail}])


@dataclass(slots=True)
class Timings:
    """Milliseconds of one request by phase; 0 for the phases of an open connection."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0

    def __add__(self, other: "Timings") -> "Timings":
        """Return the sums of two requests, as those of a redirect."""
        return Timings(
            self.dns + other.dns,
            self.connect + other.connect,
            self.tls + other.tls,
            self.first_byte + other.first_byte,
        )


@dataclass(slots=True)
class StepResult:
    """The result of one step with all its requests."""

    step_id: str
    operation_id: str
    attempt: int
    status: int = 0  # of the last response; 0 without a response
    request_count: int = 0
    duration_ms: float = 0.0
    timings: Timings = field(default_factory=Timings)
    reason: Reason | Literal[""] = ""
    detail: str = ""
    evidence: Sequence[Mapping[str, str]] = ()  # the values that the failed check has seen
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "stepId": self.step_id,
            "operationId": self.operation_id,
            "attempt": self.attempt,
            "tries": self.request_count,
            "status": self.status,
            "durationMs": round(self.duration_ms, 1),
            "dnsMs": round(self.timings.dns, 1),
            "connectMs": round(self.timings.connect, 1),
            "tlsMs": round(self.timings.tls, 1),
            "firstByteMs": round(self.timings.first_byte, 1),
            "reason": self.reason,
            "detail": self.detail,
            "evidence": [dict(each) for each in self.evidence],
            "warnings": self.warnings,
        }


@dataclass(slots=True)
class RunResult:
    """The result of one run of a journey with all its attempts."""

    journey: str
    trace_id: str
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    result: Result = "running"
    step: str = ""  # the failed or current step
    reason: Reason | Literal[""] = ""
    status: int = 0
    detail: str = ""
    attempt: int = 1
    duration_ms: float = 0.0
    steps: list[StepResult] = field(default_factory=list)
    evidence: Sequence[Mapping[str, str]] = ()  # of the failed step
    certificate_expiry: str = ""  # the earliest of all servers

    def fail(self, step: StepResult) -> None:
        """Fail the run with the reason of a failed step."""
        self.result = "error" if step.reason == "runner" else "failed"
        self.step, self.reason = step.step_id, step.reason
        self.status, self.detail = step.status, step.detail
        self.evidence = step.evidence

    def end_with_error(self, problem: str) -> None:
        """End the run for a reason that is not the system's, and has no value of a response."""
        self.result, self.reason = "error", "runner"
        self.detail, self.evidence = problem, [{"problem": problem}]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            **self.summary(),
            "detail": self.detail,
            "steps": [step.to_dict() for step in self.steps],
        }

    def summary(self) -> Mapping[str, Any]:
        """Return the fields that JSON output and termination message share."""
        return {
            "v": 1,
            "journey": self.journey,
            "result": self.result,
            "step": self.step,
            "reason": self.reason,
            "status": self.status,
            "attempt": self.attempt,
            "durationMs": round(self.duration_ms),
            "traceId": self.trace_id,
            "startedAt": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **({"certificateExpiry": self.certificate_expiry} if self.certificate_expiry else {}),
        }
