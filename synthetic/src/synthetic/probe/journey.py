"""Journeys: Arazzo workflows, read and checked whole before anything is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from synthetic.probe.contract import Operation, load_operations
from synthetic.probe.criteria import Criterion, read_criterion
from synthetic.probe.documents import Documents, read_yaml
from synthetic.probe.expressions import Expression, expressions_in, parse
from synthetic.probe.inputs import check_inputs
from synthetic.probe.results import UsageError

SCHEMA = Path(__file__).with_name("arazzo.yaml")
QUALIFIED = "$sourceDescriptions."

Find = Callable[[str], Path]  # a source description's url -> the contract's file


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value for one of an operation's parameters, or a header."""

    place: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Retry:
    """When a step that failed is tried again, how often, and after how many seconds."""

    after: float
    limit: int
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what must be so of its answer."""

    step_id: str
    operation: Operation
    parameters: tuple[Parameter, ...]
    content_type: str  # empty when there is no body
    payload: Any
    criteria: tuple[Criterion, ...]
    outputs: Mapping[str, Expression]
    retry: Retry | None
    cleanup: "Step | None"


@dataclass(frozen=True, slots=True)
class Journey:
    """A workflow."""

    name: str
    summary: str
    inputs: Mapping[str, Any]
    steps: tuple[Step, ...]


def read_journey(path: Path, name: str, find: Find) -> Journey:
    """Read the workflow ``name`` of an Arazzo document.

    Raises:
        UsageError: the document is wrong, or asks for what is not supported; it names the place.

    """
    document = read_document(path)
    workflows = {workflow["workflowId"]: workflow for workflow in document["workflows"]}
    if name not in workflows:
        message = f"{path.name} has no workflow {name}; it has {', '.join(workflows)}"
        raise UsageError(message)
    sources = {s["name"]: s["url"] for s in document["sourceDescriptions"]}
    try:
        return _Reader(sources, find).journey(workflows[name])
    except UsageError as error:
        message = f"{path.name}: {error}"
        raise UsageError(message) from error


def read_document(path: Path) -> dict[str, Any]:
    """Return an Arazzo document whose form is right.

    Raises:
        UsageError: it is not.

    """
    document = read_yaml(path)
    validator = jsonschema_rs.Draft202012Validator(read_yaml(SCHEMA))
    error = next(validator.iter_errors(document), None)
    if error is not None:
        place = "/".join(map(str, error.instance_path)) or "the document"
        message = f"{path.name}: {place}: {error.message[:300]}"
        raise UsageError(message)
    whole: dict[str, Any] = document
    return whole


class _Reader:
    """One workflow while it is read: knows what has been declared so far."""

    def __init__(self, sources: Mapping[str, str], find: Find) -> None:
        self._sources = sources
        self._find = find
        self._documents = Documents()
        self._operations: dict[str, Mapping[str, Operation]] = {}
        self._inputs: set[str] = set()
        self._outputs: dict[str, set[str]] = {}

    def journey(self, workflow: Mapping[str, Any]) -> Journey:
        inputs = workflow.get("inputs", {})
        check_inputs(inputs)
        self._inputs = set(inputs.get("properties", {}))
        steps = tuple(self._step(step) for step in workflow["steps"])
        return Journey(workflow["workflowId"], workflow.get("summary", ""), inputs, steps)

    def _step(self, document: Mapping[str, Any], *, is_cleanup: bool = False) -> Step:
        step_id = document["stepId"]
        if step_id in self._outputs:
            message = f"two steps are called {step_id}"
            raise UsageError(message)
        try:
            return self._checked(step_id, document, is_cleanup=is_cleanup)
        except UsageError as error:
            message = f"step {step_id}: {error}"
            raise UsageError(message) from error

    def _checked(self, step_id: str, document: Mapping[str, Any], *, is_cleanup: bool) -> Step:
        operation = self._operation(document["operationId"])
        parameters = self._parameters(operation, document.get("parameters", []))
        body = document.get("requestBody")
        payload = body["payload"] if body else None
        self._known(expressions_in(payload), with_answer=False)
        criteria = self._criteria(document.get("successCriteria", []))
        outputs = {name: parse(text) for name, text in document.get("outputs", {}).items()}
        self._known(outputs.values())
        self._outputs[step_id] = set(outputs)
        retry = self._retry(step_id, document.get("onFailure", []))
        cleanup = document.get("x-cleanup")
        if cleanup and is_cleanup:
            message = "a step that cleans up has no x-cleanup of its own"
            raise UsageError(message)
        return Step(
            step_id,
            operation,
            parameters,
            (body or {}).get("contentType", "application/json") if body else "",
            payload,
            criteria,
            outputs,
            retry,
            self._step(cleanup, is_cleanup=True) if cleanup else None,
        )

    def _operation(self, operation_id: str) -> Operation:
        if operation_id.startswith(QUALIFIED):
            source, _, name = operation_id.removeprefix(QUALIFIED).partition(".")
        elif len(self._sources) == 1:
            source, name = next(iter(self._sources)), operation_id
        else:
            message = f"write {QUALIFIED}NAME.{operation_id}: there are several sourceDescriptions"
            raise UsageError(message)
        if source not in self._sources:
            message = f"there is no source description {source}"
            raise UsageError(message)
        if source not in self._operations:
            path = self._find(self._sources[source])
            self._operations[source] = load_operations(self._documents, path)
        operation = self._operations[source].get(name)
        if operation is None:
            message = f"the contract {self._sources[source]} has no operation {name}"
            raise UsageError(message)
        return operation

    def _parameters(
        self, operation: Operation, documents: list[Mapping[str, Any]]
    ) -> tuple[Parameter, ...]:
        given = tuple(Parameter(d["in"], d["name"], d["value"]) for d in documents)
        for parameter in given:
            self._known(expressions_in(parameter.value), with_answer=False)
            key = (parameter.place, parameter.name)
            if parameter.place != "header" and key not in operation.parameters:
                message = (
                    f"{operation.operation_id} has no {parameter.place} parameter {parameter.name}"
                )
                raise UsageError(message)
        names = {(parameter.place, parameter.name) for parameter in given}
        for (place, name), is_required in operation.parameters.items():
            if is_required and (place, name) not in names:
                message = f"{operation.operation_id} needs the {place} parameter {name}"
                raise UsageError(message)
        return given

    def _criteria(self, documents: list[Mapping[str, Any]]) -> tuple[Criterion, ...]:
        criteria = tuple(map(read_criterion, documents))
        for criterion in criteria:
            self._known(criterion.expressions)
        return criteria

    def _retry(self, step_id: str, documents: list[Mapping[str, Any]]) -> Retry | None:
        for document in documents:
            # the text of the standard lets a retry go without a stepId, its JSON Schema does not
            if document.get("stepId", step_id) != step_id:
                message = f"a retry is of the step itself, and not of {document['stepId']}"
                raise UsageError(message)
            criteria = self._criteria(document.get("criteria", []))
            return Retry(document.get("retryAfter", 0.0), document.get("retryLimit", 1), criteria)
        return None

    def _known(self, expressions: Any, *, with_answer: bool = True) -> None:  # noqa: ANN401
        """Raise ``UsageError`` when an expression speaks of what is not there."""
        expression: Expression
        for expression in expressions:
            parts = expression.parts
            step = parts["step"]
            if parts["input"] and parts["input"] not in self._inputs:
                message = f"there is no input {parts['input']}"
                raise UsageError(message)
            if step and parts["output"] not in self._outputs.get(step, set()):
                message = f"no step before this one has what {expression.text} names"
                raise UsageError(message)
            if not parts["input"] and not step and not with_answer:
                message = f"{expression.text}: there is no answer yet"
                raise UsageError(message)
