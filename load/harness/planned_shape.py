# mypy: allow-untyped-calls
# Locust's shapes have no types.
"""The Locust shape that follows a plan."""

import signal
import time

from locust import LoadTestShape

from load.harness.run_state import STATE
from load.shapes import build_plan
from load.shapes.phases import DRAIN_SECONDS, Plan
from load.users.api_client import TIMEOUT_SECONDS

FINISHED = "finished"
SPAWN_RATE = 1_000.0  # users a second, so that a step of the load is immediate


class PlannedShape(LoadTestShape):
    """Follows a plan, then waits for the actions in flight and the workers' last reports."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.time()
        self.phase = ""
        self._ended_early: float | None = None

    def reset_time(self) -> None:
        """Restart the plan."""
        super().reset_time()
        self.began = time.time()

    def plan(self) -> Plan:
        """Return the plan that the options define."""
        assert self.runner is not None  # noqa: S101 - Locust has set it
        options = self.runner.environment.parsed_options
        assert options is not None  # noqa: S101 - Locust has parsed them
        whole = build_plan(options.shape, options.model, options.load, options.seconds)
        return whole if self._ended_early is None else whole.truncated(self._ended_early)

    def finish(self) -> None:
        """End the plan now, and wait for the actions in flight."""
        self._ended_early = min(self.get_run_time(), self.plan().seconds)
        restore_sigint()

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users for this second, or None after the end."""
        plan, second = self.plan(), self.get_run_time()
        current = plan.at(second)
        if current is not None:
            self.phase = current[0].name
            return round(current[1]), SPAWN_RATE
        self.phase = "ending"
        overtime = second - plan.seconds
        limit = DRAIN_SECONDS + (TIMEOUT_SECONDS if STATE.total_in_flight() else 0)
        if overtime < limit:
            return 0, SPAWN_RATE
        restore_sigint()
        self.phase = FINISHED
        return None


def restore_sigint() -> None:
    """Let the next Ctrl-C stop Locust at once."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
