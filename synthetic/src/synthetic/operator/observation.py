"""What a reconciliation has observed of a monitor's objects in the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC

from synthetic.operator.conditions import MAX_MESSAGE_LENGTH, Condition
from synthetic.operator.maintenance import NO_MAINTENANCE, Maintenance
from synthetic.operator.resources import Object
from synthetic.operator.run_result import Run
from synthetic.operator.spec import Schedule
from synthetic.operator.status_schema import TIMESTAMP_FORMAT


@dataclass(frozen=True)
class HandledTriggers:
    """The triggers for which a run has been created."""

    run_requested_at: str = ""
    rollouts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, status: Object) -> "HandledTriggers":
        """Parse the triggers of a monitor's status, or of a location's entry."""
        handled: Object = status.get("handled", {})
        return cls(handled.get("runRequestedAt", ""), handled.get("rollouts", {}))

    def to_status(self) -> Object:
        """Return the triggers in the format of the status."""
        return {"runRequestedAt": self.run_requested_at, "rollouts": self.rollouts}


@dataclass(frozen=True)
class Observation:
    """The state of a monitor's objects, or of those of one of its locations."""

    ready: Condition
    url: str = ""
    cron_job: str = ""
    cron_job_generation: int = 0
    schedule: Schedule | None = None  # of the CronJob; None if that is missing or suspended
    last: Run | None = None  # the latest of the newly counted runs
    handled: HandledTriggers = field(default_factory=HandledTriggers)
    contender: str = ""  # another operator that watches the namespace
    maintenance: Maintenance = NO_MAINTENANCE
    locations: Mapping[str, "Observation"] = field(default_factory=dict)

    def last_run(self, old: Object) -> Object | None:
        """Return the last run in the format of the status, which is ``old`` without a new one."""
        run = self.last
        if run is None:
            return old.get("lastRun")
        return {
            **({"maintenance": run.maintenance} if run.maintenance else {}),
            **({"location": run.location} if run.location else {}),
            "job": run.job,
            "result": run.result,
            "step": run.step,
            "reason": run.reason,
            "httpStatus": run.http_status,
            "attempt": run.attempt,
            "durationMs": run.duration_ms,
            "traceId": run.trace_id,
            "detail": run.detail[:MAX_MESSAGE_LENGTH],
            "startedAt": run.started_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
            "finishedAt": run.finished_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
        }
