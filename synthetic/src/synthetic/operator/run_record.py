"""Runs as a line each in the status of a monitor.

A run is ``2026-01-31T10:05:00Z failed 812 createClient http_status 503``: its start, its result,
its duration in milliseconds, and the detail. A run with ``failed/maintenance`` does not count. With
locations the uptime counts verdicts: ``failed/tolerated`` is a failure while fewer locations than
the quorum fail, and ``passed/outage`` a pass while the quorum fails.
"""

from dataclasses import dataclass
from typing import Self

from synthetic.operator.run_result import FAILED, PASSED

MAINTENANCE, TOLERATED, OUTAGE = "maintenance", "tolerated", "outage"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as recorded in the status."""

    at: str
    result: str
    duration_ms: int
    detail: str = ""
    mark: str = ""  # ``maintenance``, ``tolerated``, ``outage`` or empty
    location: str = ""  # of the entry that has the line

    @classmethod
    def read(cls, line: str, location: str = "") -> Self:
        """Parse a line of the status."""
        at, result, duration, *detail = line.split(" ", 3)
        kind, _, mark = result.partition("/")
        return cls(at, kind, int(duration), "".join(detail), mark, location)

    @property
    def line(self) -> str:
        """The record as a line of the status."""
        result = "/".join(filter(None, (self.result, self.mark)))
        return f"{self.at} {result} {self.duration_ms} {self.detail}".rstrip()

    @property
    def in_maintenance(self) -> bool:
        """True if the run overlapped a maintenance window."""
        return self.mark == MAINTENANCE

    @property
    def verdict(self) -> str:
        """The result that the uptime counts."""
        return {TOLERATED: PASSED, OUTAGE: FAILED}.get(self.mark, self.result)
