"""Replays a journey: its steps in order, again if it fails, and what undoes them at the end."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.expressions import Context, expressions_in
from synthetic.probe.http import HttpClient, Request, Response
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.journey import Journey, Retry, Step
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import RunResult, StepError, StepResult
from synthetic.probe.signals import Signals, StopRequested
from synthetic.probe.target import Target
from synthetic.probe.tokens import TokenProvider
from synthetic.probe.verify import verify

RETRY_DELAY_SECONDS = 1.0  # seconds before the journey is tried again
SUCCESS_STATUSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a run may take, in seconds, and how often it may start over."""

    timeout: float = 30.0  # for all attempts together
    cleanup: float = 15.0  # after that, for undoing
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
        """Replay ``journey`` against ``target``; ``progress`` hears of each step that begins.

        Raises:
            UsageError: the journey needs a token, and there are no credentials.

        """
        self._journey = journey
        self._limits = limits
        self._signals = signals
        self._progress = progress
        self._client = HttpClient(target)
        self._token_provider = TokenProvider(journey, credentials)
        self._cleanups: list[tuple[Step, Context]] = []
        self._succeeded: set[tuple[str, str]] = set()
        self._started = time.monotonic()
        self.result = RunResult(journey.name, secrets.token_hex(16))

    def run(self) -> RunResult:
        """Run it, clean up, and return what came of it."""
        outcome = self.result
        passed = False
        try:
            passed = self._run_attempts(Deadline(self._limits.timeout))
        except StopRequested:
            outcome.result, outcome.reason = "error", "runner"
            outcome.detail = "it was stopped by a signal"
        self._signals.ignore()
        cleaned = self._clean_up(Deadline(self._limits.cleanup))
        if passed and cleaned:
            outcome.result, outcome.step = "passed", ""
        self._client.close()
        self._report()
        return outcome

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
        """Replay the steps; return the one that failed, if one did."""
        scope = Context(generate_inputs(self._journey.inputs))
        for step in self._journey.steps:
            result = self._run_step(step, scope, deadline)
            if result.reason:
                return result
        return None

    def _run_step(self, step: Step, scope: Context, deadline: Deadline) -> StepResult:
        """Do a step, as often as it may be tried, after getting the token that it needs."""
        path = step.operation.token_path
        if path and not self._token_provider.is_valid:
            result = self._run_timed("token", "token", lambda t: self._get_token(path, t, deadline))
            if result.reason:
                return result
        return self._run_timed(
            step.step_id,
            step.operation.operation_id,
            lambda result: self._with_retries(step, scope, deadline, result),
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
        self, step: Step, scope: Context, deadline: Deadline, result: StepResult
    ) -> None:
        while True:
            try:
                with self._signals.request():
                    self._attempt_once(step, scope, deadline, result)
            except StepError:
                wait = _wait_before_retry(step.retry, scope, result)
                if wait is None or wait >= deadline.remaining():
                    raise
                self._signals.sleep(wait)
            else:
                return

    def _attempt_once(
        self, step: Step, scope: Context, deadline: Deadline, result: StepResult
    ) -> None:
        scope.answer = None
        request = self._authorized(step, build_request(step, scope))
        answer = self._send(request, deadline, result)
        scope.answer = answer
        scope.steps[step.step_id] = {n: e.evaluate(scope) for n, e in step.outputs.items()}
        if answer.status in SUCCESS_STATUSES:
            # before it is judged: what was made must go, also when the answer is wrong
            self._succeeded.add((request.method, request.path))
            self._register_cleanup(step.cleanup, scope)
        verify(step, answer, scope)

    def _authorized(self, step: Step, request: Request) -> Request:
        headers = dict(request.headers)
        headers["traceparent"] = self._traceparent()
        if step.operation.token_path and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self._token_provider.token}"
        return Request(request.method, request.path, headers, request.body)

    def _get_token(self, path: str, result: StepResult, deadline: Deadline) -> None:
        with self._signals.request():
            request = self._token_provider.request(path, self._traceparent())
            self._token_provider.store(self._send(request, deadline, result))

    def _send(self, request: Request, deadline: Deadline, result: StepResult) -> Response:
        result.request_count += 1
        result.status = 0
        try:
            answer = self._client.send(request, deadline)
        finally:
            result.timings = self._client.timings
        result.status = answer.status
        return answer

    def _traceparent(self) -> str:
        return f"00-{self.result.trace_id}-{secrets.token_hex(8)}-01"

    def _register_cleanup(self, cleanup: Step | None, scope: Context) -> None:
        """Keep what will undo a step, once all that it needs is known."""
        if cleanup is None:
            return
        needed = [e for parameter in cleanup.parameters for e in expressions_in(parameter.value)]
        if all(expression.evaluate(scope) is not None for expression in needed):
            self._cleanups.append((cleanup, scope))

    def _clean_up(self, deadline: Deadline) -> bool:
        """Undo what was done, the latest first; tell whether all of it went well."""
        failed: list[StepResult] = []
        while self._cleanups:
            step, scope = self._cleanups.pop()
            request = build_request(step, scope)
            if (request.method, request.path) in self._succeeded:
                continue
            result = self._run_step(step, scope, deadline)
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


def _wait_before_retry(retry: Retry | None, scope: Context, result: StepResult) -> float | None:
    """Return the seconds after which a step may be tried again; nothing when it may not."""
    answer = scope.answer
    if retry is None or answer is None or result.request_count > retry.limit:
        return None
    if not all(criterion.evaluate(scope) for criterion in retry.criteria):
        return None
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else retry.after
