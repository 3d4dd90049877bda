"""Mistakes that only the contract shows: of operations, of requests and of responses."""

import re

from synthetic.probe.cursor import Cursor
from synthetic.probe.flow_checks import check_flow
from synthetic.probe.journey import Step, Workflow
from synthetic.probe.operation import Operation
from synthetic.probe.payload_checks import check_body, check_parameters
from synthetic.probe.problems import closest, quoted
from synthetic.probe.references import TARGETS
from synthetic.probe.response_checks import check_responses
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.verify import MIN_ERROR_STATUS

_STATUS = re.compile(r"\$statusCode\s*==\s*'?([1-5]\d\d)\b")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def check_steps(cursor: Cursor, workflow: Workflow, used_inputs: set[str]) -> None:
    """Record what contradicts the contract in the steps of a workflow without other mistakes."""
    for item, step in zip(cursor.items("steps"), workflow.steps, strict=True):
        cleanup = item.get("x-cleanup")
        _check_step(item, step)
        if cleanup is not None and step.cleanup is not None:
            _check_step(cleanup, step.cleanup)
    check_flow(cursor, workflow, used_inputs)


def _check_step(cursor: Cursor, step: Step) -> None:
    if isinstance(step.call, tuple):
        return
    try:
        if not _check_operation(cursor, step.call):
            return
        statuses = _check_statuses(cursor, step.call)
        # a step that expects an error may send what the contract forbids
        if not any(status >= MIN_ERROR_STATUS for status in statuses):
            check_parameters(cursor, step.call, step.parameters)
            if step.body is not None:
                check_body(cursor, step.call, step.body)
            elif step.call.needs_body:
                cursor.problem(f"{step.call.operation_id} needs a requestBody")
        check_responses(cursor, step.call, step)
    except ProbeError as error:
        cursor.problem(str(error))


def _check_operation(cursor: Cursor, operation: Operation) -> bool:
    """Check what a request needs beside the step; return whether the schemas are valid."""
    place = next((cursor.get(name) or cursor for name in TARGETS if cursor.has(name)), cursor)
    lost = {r.scheme for each in operation.security for r in each if not r.scheme.kind}
    for scheme in sorted(lost):
        known = f"there are {', '.join(scheme.others)}" if scheme.others else "there are none"
        hint = closest(scheme.name, scheme.others) or known
        place.problem(f"the contract has no security scheme {quoted(scheme.name)}; {hint}")
    for name in _VARIABLE.findall(operation.server):
        place.problem(f"the server {quoted(operation.server)} has no variable {quoted(name)}")
    try:
        operation.compile_schemas()
    except ProbeError as error:
        place.problem(f"the contract is invalid: {error}")
        return False
    return True


def _check_statuses(cursor: Cursor, operation: Operation) -> list[int]:
    """Return the statuses that a step expects; one that is not declared is a problem."""
    statuses = []
    for criterion in cursor.items("successCriteria"):
        for status in map(int, _STATUS.findall(criterion.text("condition"))):
            statuses.append(status)
            if not _declares(operation, status):
                place = criterion.get("condition") or criterion
                name, hint = operation.operation_id, operation.misspelt_range(status)
                place.problem(f"the contract does not declare the status {status} of {name}{hint}")
    return statuses


def _declares(operation: Operation, status: int) -> bool:
    if not operation.responses.value:
        return True
    try:
        operation.declared_response(status)
    except StepError:
        return False
    return True
