"""Mistakes in the order of steps, in defaults of inputs, and inputs without use."""

from collections.abc import Iterator
from typing import Any

from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.journey import Action, Step, Workflow
from synthetic.probe.problems import quoted

ACTION_LISTS = ("onSuccess", "onFailure")


def check_flow(cursor: Cursor, workflow: Workflow, used_inputs: set[str]) -> None:
    """Record loops, steps that no other step leads to, invalid defaults and unused inputs."""
    for item in cursor.items("steps"):
        _check_loops(item)
    _check_reachable(cursor, workflow)
    _check_inputs(cursor, workflow, used_inputs)


def _check_loops(step: Cursor) -> None:
    own_id = step.value.get("stepId")
    for name in ACTION_LISTS:
        for action in step.items(name):
            described = members_of(action.value)
            is_loop = described.get("type") == "goto" and described.get("stepId") == own_id
            if is_loop and not described.get("criteria"):
                place = action.get("stepId") or action
                own = quoted(own_id)
                place.warn(f"{own} may go to itself forever: add criteria, or use the type retry")


def _check_reachable(cursor: Cursor, workflow: Workflow) -> None:
    """Record the steps that cannot run, because a step before them always leads elsewhere."""
    positions = {step.step_id: index for index, step in enumerate(workflow.steps)}
    reached: set[int] = set()
    pending = [0]
    while pending:
        index = pending.pop()
        if index in reached or index >= len(workflow.steps):
            continue
        reached.add(index)
        step = workflow.steps[index]
        pending += [positions[a.step_id] for a in _actions(step) if a.step_id in positions]
        if not _always_leaves(step):
            pending.append(index + 1)
    for index, item in enumerate(cursor.items("steps")):
        if index not in reached:
            place = item.get("stepId") or item
            place.warn(f"the step {quoted(place.value)} is never reached: no step leads to it")


def _actions(step: Step) -> Iterator[Action]:
    yield from step.on_success
    yield from step.on_failure


def _always_leaves(step: Step) -> bool:
    return any(not action.criteria for action in step.on_success)


def _check_inputs(cursor: Cursor, workflow: Workflow, used: set[str]) -> None:
    properties = members_of(workflow.inputs.get("properties"))
    derived = any(members_of(p).get("x-generate") == "basic" for p in properties.values())
    for name, described in properties.items():
        place = Cursor(None, cursor.problems, (*cursor.location, "inputs", "properties", name))
        _check_default(place, described)
        if name not in used and not derived:
            place.warn(f"the input {quoted(name)} is not used")


def _check_default(place: Cursor, described: Any) -> None:  # noqa: ANN401 - any JSON
    import jsonschema_rs  # noqa: PLC0415 - it needs 20 ms, and runs do not check defaults

    try:
        validator = jsonschema_rs.Draft202012Validator(described, mask="the default")
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        place.problem(f"the schema is invalid: {str(error).partition(chr(10))[0][:200]}")
        return
    if isinstance(described, dict) and "default" in described:
        violation = next(validator.iter_errors(described["default"]), None)
        if violation is not None:
            found = place.at("/default")
            found.problem(f"the default violates the schema: {violation.message}")
