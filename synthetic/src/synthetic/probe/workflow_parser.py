"""Parse one workflow of an Arazzo document."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from synthetic.probe.arazzo_document import ArazzoDocument, check_unique
from synthetic.probe.arazzo_objects import ObjectParser, parameter_key
from synthetic.probe.arazzo_scope import Scope
from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.inputs import add_generators, input_names, parse_inputs
from synthetic.probe.journey import Action, Parameter, Step, Workflow, WorkflowKey
from synthetic.probe.operation import Operation
from synthetic.probe.problems import closest, quoted
from synthetic.probe.references import ASYNC_FIELDS, TARGETS, ReferenceFinder

WORKFLOW_FIELDS = (
    "workflowId", "summary", "description", "inputs", "dependsOn", "steps", "successActions",
    "failureActions", "outputs", "parameters",
)  # fmt: skip
STEP_FIELDS = (
    "stepId", "description", *TARGETS, "parameters", "requestBody", "successCriteria", "onSuccess",
    "onFailure", "outputs",
)  # fmt: skip
MAX_CYCLE = 10  # names in a message
STEP_FIELDS_OF_1_1 = (*ASYNC_FIELDS, "timeout", "dependsOn")


class WorkflowParser:
    """Parses one workflow."""

    def __init__(self, document: ArazzoDocument, cursor: Cursor) -> None:
        """Parse the workflow at ``cursor``."""
        self._document = document
        self._objects = ObjectParser(document.components, is_1_1=document.is_1_1)
        self._references = ReferenceFinder(document)
        self._cursor = cursor
        self._scope = Scope(None, {}, {}, (), ())

    def parse(self) -> Workflow:
        """Return the workflow; it can run if the cursor has no problems afterwards."""
        cursor = self._cursor
        cursor.expect_fields("a workflow", WORKFLOW_FIELDS)
        inputs = parse_inputs(cursor.get("inputs"), self._document.root)
        inputs = add_generators(inputs, cursor)
        steps = cursor.items("steps", least=1)
        every = [each for step in steps for each in (step, step.get("x-cleanup")) if each]
        check_unique(every, "stepId", "steps")
        self._scope = Scope(
            input_names(inputs),
            {
                str(each.value["stepId"]): list(members_of(each.value.get("outputs")))
                for each in every
                if "stepId" in members_of(each.value)
            },
            self._document.names,
            self._document.source_names,
            list(self._document.values.parameters),
        )
        parsed = tuple(self._parse_step(step, steps[index:]) for index, step in enumerate(steps))
        return Workflow(
            (self._document.path, str(cursor.value["workflowId"])),
            cursor.text("summary"),
            inputs,
            parsed,
            self._objects.outputs(cursor, self._scope.after()),
            tuple(self._parse_dependencies()),
            self._document.values,
        )

    def _parse_dependencies(self) -> Iterator[WorkflowKey]:
        cycle = self._document.dependency_cycles.get(str(self._cursor.value["workflowId"]))
        if cycle:
            place = self._cursor.get("dependsOn") or self._cursor
            names = [*cycle[:MAX_CYCLE], *(["..."] if len(cycle) > MAX_CYCLE else [])]
            place.problem(f"dependsOn has a cycle: {' -> '.join(map(quoted, names))}")
        for item in self._cursor.items("dependsOn"):
            if item.expect(str, "a workflow of dependsOn"):
                key = self._references.find_workflow(item)
                if key is not None:
                    yield key

    def _parse_step(self, cursor: Cursor, rest: list[Cursor]) -> Step:
        following = [] if self._jumps() else rest[1:]
        later = [str(members_of(other.value).get("stepId")) for other in following]
        own_id = str(members_of(cursor.value).get("stepId"))
        before = replace(self._scope, later=[*later, own_id])
        after = replace(self._scope, later=later).after()
        step = self._parse_call(cursor, before, after)
        cleanup = cursor.get("x-cleanup")
        if cleanup is None:
            return step
        if cleanup.has("x-cleanup"):
            cleanup.problem("a clean-up step must not have an x-cleanup")
        before = replace(after, has_response=False)
        return replace(step, cleanup=self._parse_call(cleanup, before, after))

    def _jumps(self) -> bool:
        """Return whether a step may run before one that is written above it."""
        return "goto" in _kinds_of_actions(self._cursor.value)

    def _parse_call(self, cursor: Cursor, before: Scope, after: Scope) -> Step:
        is_1_1 = self._document.is_1_1
        cursor.expect_fields("a step", (*STEP_FIELDS, *(STEP_FIELDS_OF_1_1 if is_1_1 else ())))
        call = self._references.find_call(cursor)
        if isinstance(call, tuple):
            after = after.after(self._names_of(call, "outputs"))
            if cursor.has("requestBody"):
                cursor.problem("a step that calls a workflow must have no requestBody")
        elif cursor.has("workflowId"):
            after = after.after(None)  # of an unknown workflow: one problem is enough
        if cursor.has("successCriteria"):
            cursor.items("successCriteria", least=1)
        timeout = cursor.number("timeout", 0.0, whole=True)
        depends_on = tuple(self._steps_before(cursor, before))
        return Step(
            cursor.text("stepId"),
            call or ("", ""),
            self._parameters(cursor, call, before),
            self._objects.body(cursor, before),
            self._objects.criteria(cursor, "successCriteria", after),
            self._actions(cursor, "onSuccess", "successActions", after),
            self._actions(cursor, "onFailure", "failureActions", after),
            self._objects.outputs(cursor, after),
            timeout / 1000 if timeout else None,
            depends_on,
        )

    def _actions(self, cursor: Cursor, name: str, shared: str, scope: Scope) -> tuple[Action, ...]:
        """Return the actions of a step, before those of the workflow with other names."""
        find = self._references.find_workflow_of
        own = self._objects.actions(cursor, name, scope, find)
        of_workflow = self._objects.actions(self._cursor, shared, scope, find)
        names = {action.name for action in own}
        return (*own, *(action for action in of_workflow if action.name not in names))

    def _parameters(
        self, cursor: Cursor, call: Operation | WorkflowKey | None, scope: Scope
    ) -> tuple[Parameter, ...]:
        """Return the parameters of a step, with those of the workflow that it does not override."""
        of_operation = call is not None and not isinstance(call, tuple)
        own = self._objects.parameters(cursor, scope, needs_location=of_operation)
        of_workflow = self._objects.parameters(self._cursor, scope, needs_location=False)
        if call is None:
            return own
        if isinstance(call, tuple):
            return self._inputs(cursor, call, own, of_workflow)
        return self._operation_parameters(cursor, call, own, of_workflow)

    def _inputs(
        self,
        cursor: Cursor,
        key: WorkflowKey,
        own: tuple[Parameter, ...],
        of_workflow: tuple[Parameter, ...],
    ) -> tuple[Parameter, ...]:
        """Return the parameters of a step that calls a workflow: all are inputs of it."""
        names = self._names_of(key, "inputs")
        for parameter in own:
            if names is not None and parameter.name not in names:
                known = ", ".join(names) or "none"
                place = _place_of(cursor, parameter)
                place.problem(
                    f"the workflow {key[1]} has no input {parameter.name}; it has {known}"
                )
        given = {parameter.name for parameter in own}
        fitting = (
            parameter
            for parameter in of_workflow
            if parameter.name not in given and (names is None or parameter.name in names)
        )
        return tuple(replace(parameter, location="") for parameter in (*own, *fitting))

    @staticmethod
    def _operation_parameters(
        cursor: Cursor,
        operation: Operation,
        own: tuple[Parameter, ...],
        of_workflow: tuple[Parameter, ...],
    ) -> tuple[Parameter, ...]:
        name = operation.operation_id
        for parameter in own:
            key = (parameter.location, parameter.name)
            if (
                parameter.location in {"path", "query", "cookie"}
                and key not in operation.parameters
            ):
                place = _place_of(cursor, parameter)
                others = [where for where, known in operation.specs if known == parameter.name]
                known = [known for where, known in operation.specs if where == parameter.location]
                hint = f"it is in: {others[0]}" if others else closest(parameter.name, known)
                place.problem(
                    f"{name} has no {parameter.location} parameter {parameter.name}"
                    + (f"; {hint}" if hint else "")
                )
        keys = {parameter_key(parameter) for parameter in own}
        fitting = tuple(
            parameter
            for parameter in of_workflow
            if parameter.location
            and parameter_key(parameter) not in keys
            and (parameter.location != "path" or ("path", parameter.name) in operation.parameters)
        )
        given = (*own, *fitting)
        keys = {parameter_key(parameter) for parameter in given}
        for (location, parameter_name), is_required in operation.parameters.items():
            key = (location, parameter_name.lower() if location == "header" else parameter_name)
            if is_required and key not in keys:
                cursor.problem(f"{name} needs the {location} parameter {parameter_name}")
        return given

    def _names_of(self, key: WorkflowKey, field: str) -> Collection[str] | None:
        """Return the names of inputs or outputs of a workflow; None stands for any name."""
        if key[0] != self._document.path:
            return None
        return self._scope.workflows.get(key[1], {}).get(field)

    def _steps_before(self, cursor: Cursor, before: Scope) -> Iterator[str]:
        """Yield the steps that a step depends on, without those of other workflows (`$`)."""
        for item in cursor.items("dependsOn"):
            if not item.expect(str, "a step of dependsOn"):
                continue
            if item.value.startswith("$"):
                continue
            if item.value not in self._scope.steps:
                item.problem(f"there is no step {quoted(item.value)} in this workflow")
            elif item.value in before.later:
                item.problem(f"the step {quoted(item.value)} runs later: move it before this one")
            yield item.value


def _place_of(cursor: Cursor, parameter: Parameter) -> Cursor:
    """Return where a step has a parameter; a reusable one counts as a part of its step."""
    for item in cursor.items("parameters"):
        if members_of(item.value).get("name") == parameter.name:
            return item
    return cursor


def _kinds_of_actions(workflow: Mapping[str, Any]) -> set[str]:
    """Return the types of all actions of a workflow; a reusable one counts as goto."""
    lists = [workflow.get("successActions"), workflow.get("failureActions")]
    for step in workflow.get("steps") or ():
        lists += [members_of(step).get("onSuccess"), members_of(step).get("onFailure")]
    return {
        str(members_of(action).get("type", "goto"))
        for actions in lists
        if isinstance(actions, list)
        for action in actions
    }
