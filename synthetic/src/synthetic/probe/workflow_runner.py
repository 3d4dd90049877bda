"""Run workflows: the order of their steps, their actions, and the workflows that they call."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from synthetic.probe.deadline import Deadline
from synthetic.probe.http import Response
from synthetic.probe.inputs import check_values, generate_inputs
from synthetic.probe.journey import Action, Parameter, Step, Workflow, WorkflowKey
from synthetic.probe.results import ProbeError, StepError, StepResult, public_error
from synthetic.probe.runtime_values import UNDEFINED, Context, WorkflowValues
from synthetic.probe.step_runner import StepRunner, store_outputs
from synthetic.probe.step_values import input_values
from synthetic.probe.verify import verify_criteria

MAX_DEPTH = 20  # of workflows that run each other
MAX_VISITS = 10_000  # of steps in one workflow, for a loop that `goto` makes


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a workflow: the result of the step that failed it, its values and its outputs."""

    failure: StepResult | None
    context: Context
    outputs: Mapping[str, Any]


class WorkflowRunner:
    """Runs a workflow and those that it refers to, within one deadline."""

    def __init__(
        self, workflows: Mapping[WorkflowKey, Workflow], steps: StepRunner, deadline: Deadline
    ) -> None:
        """Run the workflows with ``steps`` until ``deadline``."""
        self._workflows = workflows
        self._steps = steps
        self._deadline = deadline
        self._values: dict[str, dict[str, WorkflowValues]] = {}  # by document and workflowId
        self._completed: set[WorkflowKey] = set()
        self._callers: list[str] = []  # the steps and workflows that have led here

    def run(self, key: WorkflowKey, inputs: Mapping[str, Any]) -> Outcome:
        """Run a workflow after those that it depends on."""
        workflow = self._workflows[key]
        values = self._values.setdefault(key[0], {})
        values[key[1]] = WorkflowValues(inputs, {})
        context = Context(inputs, workflows=values, document=workflow.document)
        failure = self._run_dependencies(workflow)
        if failure is None:
            failure = self._run_steps(workflow, context)
        outputs = {name: output.evaluate(context) for name, output in workflow.outputs.items()}
        outputs = {name: value for name, value in outputs.items() if value is not UNDEFINED}
        values[key[1]] = WorkflowValues(inputs, outputs)
        if failure is None:
            self._completed.add(key)
        return Outcome(failure, context, outputs)

    def visit(self, step: Step, context: Context) -> tuple[StepResult, Action | None]:
        """Run a step with its retries; return its result and the action that follows."""
        if not isinstance(step.call, tuple):
            failed = self._steps.get_token(step, self._deadline)
            if failed is not None:
                return failed, None
        chosen: list[Action] = []
        name = step.call[1] if isinstance(step.call, tuple) else step.call.operation_id
        result = self._steps.timed(
            "/".join((*self._callers, step.step_id)),
            name,
            lambda result: self._with_retries(step, context, result, chosen),
        )
        return result, (chosen[0] if chosen and result.reason != "runner" else None)

    def _run_dependencies(self, workflow: Workflow) -> StepResult | None:
        for key in workflow.depends_on:
            if key not in self._completed:
                outcome = self._run_called(key, {}, key[1])
                if outcome.failure is not None:
                    return outcome.failure
        return None

    def _run_steps(self, workflow: Workflow, context: Context) -> StepResult | None:
        """Run the steps in their order; return the result of one that failed the workflow."""
        positions = {step.step_id: index for index, step in enumerate(workflow.steps)}
        index = visits = 0
        completed: set[str] = set()
        while index < len(workflow.steps):
            step = workflow.steps[index]
            missing = next((name for name in step.depends_on if name not in completed), None)
            if missing is not None:  # an action has left it out
                return self._failed(step.step_id, f"it depends on {missing}, which has not run")
            result, action = self.visit(step, context)
            visits += 1
            completed.add(step.step_id)
            failure = result if result.reason else None
            # an action could otherwise follow every failure that the deadline causes
            is_over = failure is not None and self._deadline.expired
            if action is None or action.kind == "end" or is_over:
                if failure is not None or action is not None:
                    return failure
                index += 1
            elif visits > MAX_VISITS:
                return self._failed(
                    action.name, f"goto made a loop of more than {MAX_VISITS} steps"
                )
            elif action.workflow is not None:
                return self._go_to(action, action.workflow, context)
            else:
                index = positions[action.step_id]
        return None

    def _go_to(self, action: Action, key: WorkflowKey, context: Context) -> StepResult | None:
        try:
            inputs = self._inputs(key, action.parameters, context)
            return self._run_called(key, inputs, key[1]).failure
        except StepError as error:
            return self._failed(action.name, str(error))

    def _failed(self, name: str, message: str) -> StepResult:
        def fail(_: StepResult) -> None:
            raise StepError("runner", message)

        return self._steps.timed("/".join((*self._callers, name)), name, fail)

    def _with_retries(
        self, step: Step, context: Context, result: StepResult, chosen: list[Action]
    ) -> None:
        """Run a step until it passes or no retry applies; put the action that follows in a list."""
        tries: Counter[str] = Counter()
        while True:
            try:
                self._attempt(step, context, result)
            except StepError as error:
                action = _first(step.on_failure, context, tries)
                if action is None or error.reason == "runner":
                    raise
                wait = _wait(action, context.response)
                if action.kind != "retry":
                    chosen.append(action)
                    raise
                if wait >= self._deadline.remaining():
                    raise
                tries[action.name] += 1
                self._steps.signals.sleep(wait)
                self._run_reference(step, action, context)
            else:
                action = _first(step.on_success, context, tries)
                if action is not None:
                    chosen.append(action)
                return

    def _attempt(self, step: Step, context: Context, result: StepResult) -> None:
        if not isinstance(step.call, tuple):
            deadline = self._deadline
            if step.timeout is not None:
                deadline = Deadline(min(step.timeout, deadline.remaining()))
            self._steps.send(step, context, deadline, result)
            return
        inputs = self._inputs(step.call, step.parameters, context)
        outcome = self._run_called(step.call, inputs, step.step_id)
        context.outputs = outcome.outputs
        context.request, context.response = outcome.context.request, outcome.context.response
        result.status = outcome.context.response.status if outcome.context.response else 0
        store_outputs(step, context)
        failure = outcome.failure
        if failure is not None and failure.reason:
            detail = f"{failure.step_id}: {failure.detail}"
            raise StepError(failure.reason, detail, failure.evidence)
        verify_criteria(step, context)

    def _run_reference(self, step: Step, action: Action, context: Context) -> None:
        """Run the step or workflow that a retry names; the retry itself shows the effect."""
        if action.workflow is not None:
            inputs = self._inputs(action.workflow, action.parameters, context)
            self._run_called(action.workflow, inputs, action.workflow[1])
        elif action.step_id:
            other = self._find_step(step, action.step_id)
            name = "/".join((*self._callers, other.step_id))
            self._steps.timed(
                name, other.step_id, lambda result: self._attempt(other, context, result)
            )

    def _find_step(self, step: Step, step_id: str) -> Step:
        return next(
            found
            for workflow in self._workflows.values()
            if any(step is own or step is own.cleanup for own in workflow.steps)
            for own in workflow.steps
            for found in (own, own.cleanup)
            if found is not None and found.step_id == step_id
        )

    def _inputs(
        self, key: WorkflowKey, parameters: tuple[Parameter, ...], context: Context
    ) -> Mapping[str, Any]:
        schema = self._workflows[key].inputs
        try:
            inputs = generate_inputs(schema, input_values(parameters, context))
            if inputs:
                check_values(schema, inputs)
        except ProbeError as error:
            raise StepError("assertion", f"the inputs of {key[1]}: {error}") from error
        return inputs

    def _run_called(self, key: WorkflowKey, inputs: Mapping[str, Any], caller: str) -> Outcome:
        if len(self._callers) >= MAX_DEPTH:
            raise public_error("runner", f"more than {MAX_DEPTH} workflows call each other")
        if not inputs:
            try:
                inputs = generate_inputs(self._workflows[key].inputs)
            except ProbeError as error:
                raise StepError("runner", f"{key[1]}: {error}") from error
        self._callers.append(caller)
        try:
            return self.run(key, inputs)
        finally:
            self._callers.pop()


def _first(actions: tuple[Action, ...], context: Context, tries: Counter[str]) -> Action | None:
    """Return the first action whose criteria are met; a retry only until its limit."""
    for action in actions:
        if action.kind == "retry" and tries[action.name] >= action.retry_limit:
            continue
        if all(criterion.evaluate(context) for criterion in action.criteria):
            return action
    return None


def _wait(action: Action, response: Response | None) -> float:
    """Return the seconds before a retry; the header Retry-After overrules the action."""
    header = response.headers.get("retry-after", "").strip() if response else ""
    if not header:
        return action.retry_after
    if header.isascii() and header.isdigit():
        return float(header)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - a rare form of a rare header

    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return action.retry_after
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
