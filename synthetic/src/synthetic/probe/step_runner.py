"""Run the requests of steps, and verify their responses."""

import time
from collections.abc import Callable
from dataclasses import replace

from synthetic.probe.deadline import Deadline
from synthetic.probe.http import Request
from synthetic.probe.journey import Step
from synthetic.probe.masking import MASK, print_traceback
from synthetic.probe.policy import STRICT
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import RunResult, StepError, StepResult
from synthetic.probe.runtime_values import UNDEFINED, Context, SentRequest
from synthetic.probe.session import Session
from synthetic.probe.signals import Signals
from synthetic.probe.step_values import parameter_values, payload_value
from synthetic.probe.verify import verify

SUCCESS_STATUSES = range(200, 300)


class StepRunner:
    """Runs steps one at a time, and collects their results and their clean-up steps."""

    def __init__(
        self, run: RunResult, session: Session, signals: Signals, report: Callable[[], None]
    ) -> None:
        """Add results to ``run``; ``report`` is called before each step."""
        self.run = run
        self.signals = signals
        self.cleanups: list[tuple[Step, Context]] = []
        self.policy = STRICT
        self._succeeded: set[tuple[str, str]] = set()
        self._session = session
        self._report = report

    def timed(
        self, step_id: str, operation_id: str, act: Callable[[StepResult], None]
    ) -> StepResult:
        """Return the result of an action; a crash of it is an error of the probe."""
        result = StepResult(step_id, operation_id, self.run.attempt)
        if self.run.result == "running":
            self.run.step = step_id
        self._report()
        began = time.perf_counter()
        try:
            act(result)
        except StepError as error:
            result.reason, result.detail = error.reason, MASK.mask(str(error))
            result.evidence = error.evidence
        except Exception as error:  # noqa: BLE001 - the clean-up must follow whatever happens
            print_traceback()
            result.reason = "runner"
            result.detail = f"the probe crashed with {type(error).__name__}"
        finally:
            result.duration_ms = 1000 * (time.perf_counter() - began)
            self.run.steps.append(result)
        return result

    def get_token(self, step: Step, deadline: Deadline) -> StepResult | None:
        """Request the token that a step needs; return the result if that failed."""
        if not self._session.needs_token(step.operation):
            return None

        def act(result: StepResult) -> None:
            with self.signals.request():
                self._session.get_token(step.operation, result, deadline)

        result = self.timed("token", "token", act)
        return result if result.reason else None

    def send(self, step: Step, context: Context, deadline: Deadline, result: StepResult) -> None:
        """Send a step's request once, and verify the response.

        Raises:
            StepError: the request failed, or the response is not as it should be.

        """
        context.response = context.request = None
        with self.signals.request():
            request = build_request(step, context)
            context.request = self._sent(step, request, context)
            response = self._session.send(step.operation, request, deadline, result)
            context.response = response
            store_outputs(step, context)
            if response.status in SUCCESS_STATUSES:
                # before verification: the clean-up is due for wrong responses too
                self._succeeded.add((request.method, request.path))
                self._register_cleanup(step.cleanup, context)
            warnings = verify(
                step,
                response,
                context,
                self.policy,
                lambda: self._session.describe_credentials(step.operation, request),
            )
            result.warnings = [MASK.mask(warning) for warning in warnings]

    def has_succeeded(self, step: Step, context: Context) -> bool:
        """Return whether the journey itself has sent a step's request with success.

        Raises:
            StepError: a value of the request does not exist.

        """
        request = build_request(step, context)
        return (request.method, request.path) in self._succeeded

    def _sent(self, step: Step, request: Request, context: Context) -> SentRequest:
        values = parameter_values(step.parameters, context)
        return SentRequest(
            request.method,
            self._session.url(step.operation, request),
            request.headers,
            {(parameter.location, parameter.name): value for parameter, value in values},
            payload_value(step.body, context)[0] if step.body else UNDEFINED,
        )

    def _register_cleanup(self, cleanup: Step | None, context: Context) -> None:
        """Register a clean-up step if all its expressions have a value."""
        if cleanup is None:
            return
        templates = [parameter.value for parameter in cleanup.parameters]
        if cleanup.body is not None:
            templates.append(cleanup.body.payload)
        needed = [expression for template in templates for expression in template.expressions]
        values = [expression.evaluate(context) for expression in needed]
        if all(value is not UNDEFINED and value is not None for value in values):
            # a later run of the same step replaces its outputs
            self.cleanups.append((cleanup, replace(context, steps=dict(context.steps))))


def store_outputs(step: Step, context: Context) -> None:
    """Evaluate the outputs of a step; those without a value are left out."""
    values = {name: output.evaluate(context) for name, output in step.outputs.items()}
    context.steps[step.step_id] = {n: v for n, v in values.items() if v is not UNDEFINED}
