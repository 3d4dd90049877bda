"""Replay a journey: run its steps in order, retry a failed run, and clean up."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.expressions import Context, expressions_in
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.journey import Journey, Retry, Step
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import RunResult, StepError, StepResult
from synthetic.probe.session import Session
from synthetic.probe.signals import Signals, StopRequested
from synthetic.probe.target import Target
from synthetic.probe.verify import verify

RETRY_DELAY_SECONDS = 1.0  # before the next attempt at the journey
SUCCESS_STATUSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a run in seconds, and the number of its retries."""

    timeout: float = 30.0  # for all attempts together
    cleanup: float = 15.0  # for the clean-up after the attempts
    retries: int = 1


class Runner:
    """One run of one journey."""

    def __init__(
        self,
        journey: Journey,
        target: Target,
        credentials: Credentials | None,
        limits: Limits,
        *,
        signals: Signals,
        progress: Callable[[RunResult], None],
    ) -> None:
        """Prepare the run; ``progress`` is called before each step and at the end.

        Raises:
            ProbeError: the journey needs a token, and there are no credentials.

        """
        self._journey = journey
        self._limits = limits
        self._signals = signals
        self._progress = progress
        self.result = RunResult(journey.name, secrets.token_hex(16))
        self._session = Session(journey, target, credentials, self.result.trace_id)
        self._cleanups: list[tuple[Step, Context]] = []
        self._succeeded: set[tuple[str, str]] = set()
        self._started = time.monotonic()

    def run(self) -> RunResult:
        """Run the journey, clean up, and return the result."""
        run = self.result
        passed = False
        try:
            passed = self._run_attempts(Deadline(self._limits.timeout))
        except StopRequested:
            run.result, run.reason = "error", "runner"
            run.detail = "a signal stopped the run"
        self._signals.ignore()
        cleaned = self._clean_up(Deadline(self._limits.cleanup))
        if passed and cleaned:
            run.result, run.step = "passed", ""
        self._session.close()
        self._report()
        return run

    def _run_attempts(self, deadline: Deadline) -> bool:
        for attempt in range(1, self._limits.retries + 2):
            self.result.attempt = attempt
            failed = self._run_steps(deadline)
            if failed is None:
                return True
            if attempt > self._limits.retries or deadline.remaining() < RETRY_DELAY_SECONDS:
                self.result.fail(failed)
                break
            self._signals.sleep(RETRY_DELAY_SECONDS)
        return False

    def _run_steps(self, deadline: Deadline) -> StepResult | None:
        """Run the steps in order; return the result of a failed one, or None."""
        context = Context(generate_inputs(self._journey.inputs))
        for step in self._journey.steps:
            result = self._run_step(step, context, deadline)
            if result.reason:
                return result
        return None

    def _run_step(self, step: Step, context: Context, deadline: Deadline) -> StepResult:
        """Run a step with its retries, after a request for the token that it needs."""
        if self._session.needs_token(step.operation):
            result = self._run_timed(
                "token", "token", lambda result: self._get_token(step, deadline, result)
            )
            if result.reason:
                return result
        return self._run_timed(
            step.step_id,
            step.operation.operation_id,
            lambda result: self._with_retries(step, context, deadline, result),
        )

    def _run_timed(
        self, step_id: str, operation_id: str, act: Callable[[StepResult], None]
    ) -> StepResult:
        result = StepResult(step_id, operation_id, self.result.attempt)
        if self.result.result == "running":
            self.result.step = step_id
        self._report()
        began = time.perf_counter()
        try:
            act(result)
        except StepError as error:
            result.reason, result.detail = error.reason, str(error)
        finally:
            result.duration_ms = 1000 * (time.perf_counter() - began)
            self.result.steps.append(result)
        return result

    def _with_retries(
        self, step: Step, context: Context, deadline: Deadline, result: StepResult
    ) -> None:
        while True:
            try:
                with self._signals.request():
                    self._attempt_once(step, context, deadline, result)
            except StepError:
                wait = _wait_before_retry(step.retry, context, result)
                if wait is None or wait >= deadline.remaining():
                    raise
                self._signals.sleep(wait)
            else:
                return

    def _attempt_once(
        self, step: Step, context: Context, deadline: Deadline, result: StepResult
    ) -> None:
        context.response = None
        request = build_request(step, context)
        response = self._session.send(step.operation, request, deadline, result)
        context.response = response
        context.steps[step.step_id] = {n: e.evaluate(context) for n, e in step.outputs.items()}
        if response.status in SUCCESS_STATUSES:
            # before verification: the clean-up is due for wrong responses too
            self._succeeded.add((request.method, request.path))
            self._register_cleanup(step.cleanup, context)
        verify(step, response, context)

    def _get_token(self, step: Step, deadline: Deadline, result: StepResult) -> None:
        with self._signals.request():
            self._session.get_token(step.operation, result, deadline)

    def _register_cleanup(self, cleanup: Step | None, context: Context) -> None:
        """Register a clean-up step if all its expressions have a value."""
        if cleanup is None:
            return
        needed = [e for parameter in cleanup.parameters for e in expressions_in(parameter.value)]
        if all(expression.evaluate(context) is not None for expression in needed):
            self._cleanups.append((cleanup, context))

    def _clean_up(self, deadline: Deadline) -> bool:
        """Run the registered clean-up steps in reverse order; return whether all passed."""
        failed: list[StepResult] = []
        while self._cleanups:
            step, context = self._cleanups.pop()
            request = build_request(step, context)
            if (request.method, request.path) in self._succeeded:
                continue
            result = self._run_step(step, context, deadline)
            if result.reason:
                result.detail = f"{result.reason}: {result.detail}"
                result.reason = "teardown"
                failed.append(result)
        if failed and self.result.result == "running":
            self.result.fail(failed[0])
        return not failed

    def _report(self) -> None:
        self.result.duration_ms = 1000 * (time.monotonic() - self._started)
        self._progress(self.result)


def _wait_before_retry(retry: Retry | None, context: Context, result: StepResult) -> float | None:
    """Return the seconds before the next request of a step, or None for no retry."""
    response = context.response
    if retry is None or response is None or result.request_count > retry.limit:
        return None
    if not all(criterion.evaluate(context) for criterion in retry.criteria):
        return None
    retry_after = response.headers.get("retry-after", "")
    return float(retry_after) if retry_after.isdecimal() else retry.after
