"""Replays a journey: its steps in order, again if it fails, and what undoes them at the end."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.expressions import Scope, expressions_in
from synthetic.probe.http import Answer, HttpClient, Request
from synthetic.probe.inputs import make_inputs
from synthetic.probe.journey import Journey, Retry, Step
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import Outcome, StepError, StepOutcome
from synthetic.probe.signals import Signals, StopRequested
from synthetic.probe.target import Target
from synthetic.probe.tokens import Tokens
from synthetic.probe.verify import judge

PAUSE = 1.0  # seconds before the journey is tried again
SUCCESS = range(200, 300)


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
        progress: Callable[[Outcome], None],
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
        self._tokens = Tokens(journey, credentials)
        self._undo: list[tuple[Step, Scope]] = []
        self._done: set[tuple[str, str]] = set()
        self._started = time.monotonic()
        self.outcome = Outcome(journey.name, secrets.token_hex(16))

    def run(self) -> Outcome:
        """Run it, clean up, and return what came of it."""
        outcome = self.outcome
        passed = False
        try:
            passed = self._replay(Deadline(self._limits.timeout))
        except StopRequested:
            outcome.result, outcome.reason = "error", "runner"
            outcome.detail = "it was stopped by a signal"
        self._signals.ignore()
        cleaned = self._clean_up(Deadline(self._limits.cleanup))
        if passed and cleaned:
            outcome.result, outcome.step = "passed", ""
        self._client.close()
        self._tell()
        return outcome

    def _replay(self, deadline: Deadline) -> bool:
        for attempt in range(1, self._limits.retries + 2):
            self.outcome.attempt = attempt
            failed = self._attempt(deadline)
            if failed is None:
                return True
            if attempt > self._limits.retries or deadline.left() < PAUSE:
                self.outcome.fail(failed)
                break
            self._signals.pause(PAUSE)
        return False

    def _attempt(self, deadline: Deadline) -> StepOutcome | None:
        """Replay the steps; return the one that failed, if one did."""
        scope = Scope(make_inputs(self._journey.inputs))
        for step in self._journey.steps:
            told = self._step(step, scope, deadline)
            if told.reason:
                return told
        return None

    def _step(self, step: Step, scope: Scope, deadline: Deadline) -> StepOutcome:
        """Do a step, as often as it may be tried, after getting the token that it needs."""
        path = step.operation.token_path
        if path and not self._tokens.is_good:
            told = self._timed("token", "token", lambda t: self._get_token(path, t, deadline))
            if told.reason:
                return told
        return self._timed(
            step.step_id,
            step.operation.operation_id,
            lambda told: self._tries(step, scope, deadline, told),
        )

    def _timed(
        self, step_id: str, operation_id: str, act: Callable[[StepOutcome], None]
    ) -> StepOutcome:
        told = StepOutcome(step_id, operation_id, self.outcome.attempt)
        if self.outcome.result == "running":
            self.outcome.step = step_id
        self._tell()
        began = time.perf_counter()
        try:
            act(told)
        except StepError as error:
            told.reason, told.detail = error.reason, str(error)
        finally:
            told.milliseconds = 1000 * (time.perf_counter() - began)
            self.outcome.steps.append(told)
        return told

    def _tries(self, step: Step, scope: Scope, deadline: Deadline, told: StepOutcome) -> None:
        while True:
            try:
                with self._signals.request():
                    self._once(step, scope, deadline, told)
            except StepError:
                wait = _wait_before_retry(step.retry, scope, told)
                if wait is None or wait >= deadline.left():
                    raise
                self._signals.pause(wait)
            else:
                return

    def _once(self, step: Step, scope: Scope, deadline: Deadline, told: StepOutcome) -> None:
        scope.answer = None
        request = self._signed(step, build_request(step, scope))
        answer = self._send(request, deadline, told)
        scope.answer = answer
        scope.steps[step.step_id] = {n: e.value(scope) for n, e in step.outputs.items()}
        if answer.status in SUCCESS:
            # before it is judged: what was made must go, also when the answer is wrong
            self._done.add((request.method, request.path))
            self._remember(step.cleanup, scope)
        judge(step, answer, scope)

    def _signed(self, step: Step, request: Request) -> Request:
        headers = dict(request.headers)
        headers["traceparent"] = self._traceparent()
        if step.operation.token_path and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self._tokens.token}"
        return Request(request.method, request.path, headers, request.body)

    def _get_token(self, path: str, told: StepOutcome, deadline: Deadline) -> None:
        with self._signals.request():
            request = self._tokens.request(path, self._traceparent())
            self._tokens.accept(self._send(request, deadline, told))

    def _send(self, request: Request, deadline: Deadline, told: StepOutcome) -> Answer:
        told.tries += 1
        told.status = 0
        try:
            answer = self._client.send(request, deadline)
        finally:
            told.phases = self._client.phases
        told.status = answer.status
        return answer

    def _traceparent(self) -> str:
        return f"00-{self.outcome.trace_id}-{secrets.token_hex(8)}-01"

    def _remember(self, cleanup: Step | None, scope: Scope) -> None:
        """Keep what will undo a step, once all that it needs is known."""
        if cleanup is None:
            return
        needed = [e for parameter in cleanup.parameters for e in expressions_in(parameter.value)]
        if all(expression.value(scope) is not None for expression in needed):
            self._undo.append((cleanup, scope))

    def _clean_up(self, deadline: Deadline) -> bool:
        """Undo what was done, the latest first; tell whether all of it went well."""
        failed: list[StepOutcome] = []
        while self._undo:
            step, scope = self._undo.pop()
            request = build_request(step, scope)
            if (request.method, request.path) in self._done:
                continue
            told = self._step(step, scope, deadline)
            if told.reason:
                told.detail = f"{told.reason}: {told.detail}"
                told.reason = "teardown"
                failed.append(told)
        if failed and self.outcome.result == "running":
            self.outcome.fail(failed[0])
        return not failed

    def _tell(self) -> None:
        self.outcome.milliseconds = 1000 * (time.monotonic() - self._started)
        self._progress(self.outcome)


def _wait_before_retry(retry: Retry | None, scope: Scope, told: StepOutcome) -> float | None:
    """Return the seconds after which a step may be tried again; nothing when it may not."""
    answer = scope.answer
    if retry is None or answer is None or told.tries > retry.limit:
        return None
    if not all(criterion.holds(scope) for criterion in retry.criteria):
        return None
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else retry.after
