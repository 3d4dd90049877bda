"""Parse Arazzo workflows, and validate them completely before the first request."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from synthetic.probe.criteria import Criterion, parse_criterion
from synthetic.probe.documents import DocumentStore, read_yaml
from synthetic.probe.expressions import Expression, expressions_in, parse_expression
from synthetic.probe.inputs import check_inputs
from synthetic.probe.journey import Journey, Parameter, Retry, Step
from synthetic.probe.openapi_parser import load_operations
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError

SCHEMA_FILE = Path(__file__).with_name("arazzo.yaml")
SOURCE_PREFIX = "$sourceDescriptions."

ContractLocator = Callable[[str], Path]  # a source description's url -> the contract's file


def read_journey(path: Path, name: str, find: ContractLocator) -> Journey:
    """Read the workflow ``name`` of an Arazzo document.

    Raises:
        ProbeError: the document is invalid or not supported; the message has the place.

    """
    document = read_document(path)
    workflows = {workflow["workflowId"]: workflow for workflow in document["workflows"]}
    if name not in workflows:
        raise ProbeError(f"{path.name} has no workflow {name}; it has {', '.join(workflows)}")
    sources = {s["name"]: s["url"] for s in document["sourceDescriptions"]}
    try:
        return _WorkflowParser(sources, find).journey(workflows[name])
    except ProbeError as error:
        raise ProbeError(f"{path.name}: {error}") from error


def read_document(path: Path) -> dict[str, Any]:
    """Return an Arazzo document that is valid by the schema of the supported subset.

    Raises:
        ProbeError: the document is invalid.

    """
    document = read_yaml(path)
    validator = jsonschema_rs.Draft202012Validator(read_yaml(SCHEMA_FILE))
    error = next(validator.iter_errors(document), None)
    if error is not None:
        place = "/".join(map(str, error.instance_path)) or "the document"
        raise ProbeError(f"{path.name}: {place}: {error.message[:300]}")
    whole: dict[str, Any] = document
    return whole


class _WorkflowParser:
    """Parses one workflow, and tracks the inputs and outputs declared so far."""

    def __init__(self, sources: Mapping[str, str], find: ContractLocator) -> None:
        self._sources = sources
        self._locate_contract = find
        self._documents = DocumentStore()
        self._operations: dict[str, Mapping[str, Operation]] = {}
        self._inputs: set[str] = set()
        self._outputs: dict[str, set[str]] = {}

    def journey(self, workflow: Mapping[str, Any]) -> Journey:
        inputs = workflow.get("inputs", {})
        check_inputs(inputs)
        self._inputs = set(inputs.get("properties", {}))
        steps = tuple(self._parse_unique_step(step) for step in workflow["steps"])
        return Journey(workflow["workflowId"], workflow.get("summary", ""), inputs, steps)

    def _parse_unique_step(self, document: Mapping[str, Any], *, is_cleanup: bool = False) -> Step:
        step_id = document["stepId"]
        if step_id in self._outputs:
            raise ProbeError(f"two steps have the id {step_id}")
        try:
            return self._parse_step(step_id, document, is_cleanup=is_cleanup)
        except ProbeError as error:
            raise ProbeError(f"step {step_id}: {error}") from error

    def _parse_step(self, step_id: str, document: Mapping[str, Any], *, is_cleanup: bool) -> Step:
        operation = self._find_operation(document["operationId"])
        parameters = self._parse_parameters(operation, document.get("parameters", []))
        body = document.get("requestBody")
        payload = body["payload"] if body else None
        self._check_references(expressions_in(payload), has_response=False)
        criteria = self._parse_criteria(document.get("successCriteria", []))
        outputs = {
            name: parse_expression(text) for name, text in document.get("outputs", {}).items()
        }
        self._check_references(outputs.values())
        self._outputs[step_id] = set(outputs)
        retry = self._parse_retry(step_id, document.get("onFailure", []))
        cleanup = document.get("x-cleanup")
        if cleanup and is_cleanup:
            raise ProbeError("a clean-up step must not have an x-cleanup")
        return Step(
            step_id,
            operation,
            parameters,
            (body or {}).get("contentType", "application/json") if body else "",
            payload,
            criteria,
            outputs,
            retry,
            self._parse_unique_step(cleanup, is_cleanup=True) if cleanup else None,
        )

    def _find_operation(self, operation_id: str) -> Operation:
        if operation_id.startswith(SOURCE_PREFIX):
            source, _, name = operation_id.removeprefix(SOURCE_PREFIX).partition(".")
        elif len(self._sources) == 1:
            source, name = next(iter(self._sources)), operation_id
        else:
            raise ProbeError(
                f"write {SOURCE_PREFIX}NAME.{operation_id}: there are several sourceDescriptions"
            )
        if source not in self._sources:
            raise ProbeError(f"there is no source description {source}")
        if source not in self._operations:
            path = self._locate_contract(self._sources[source])
            self._operations[source] = load_operations(self._documents, path)
        operation = self._operations[source].get(name)
        if operation is None:
            raise ProbeError(f"the contract {self._sources[source]} has no operation {name}")
        return operation

    def _parse_parameters(
        self, operation: Operation, documents: list[Mapping[str, Any]]
    ) -> tuple[Parameter, ...]:
        given = tuple(Parameter(d["in"], d["name"], d["value"]) for d in documents)
        for parameter in given:
            self._check_references(expressions_in(parameter.value), has_response=False)
            location, name = parameter.location, parameter.name
            if location != "header" and (location, name) not in operation.parameters:
                raise ProbeError(f"{operation.operation_id} has no {location} parameter {name}")
        names = {_parameter_key(parameter.location, parameter.name) for parameter in given}
        for (location, name), is_required in operation.parameters.items():
            if is_required and _parameter_key(location, name) not in names:
                raise ProbeError(f"{operation.operation_id} needs the {location} parameter {name}")
        return given

    def _parse_criteria(self, documents: list[Mapping[str, Any]]) -> tuple[Criterion, ...]:
        criteria = tuple(map(parse_criterion, documents))
        for criterion in criteria:
            self._check_references(criterion.expressions)
        return criteria

    def _parse_retry(self, step_id: str, documents: list[Mapping[str, Any]]) -> Retry | None:
        for document in documents:
            # the specification's text makes the stepId optional, its JSON Schema does not
            if document.get("stepId", step_id) != step_id:
                raise ProbeError(f"a retry must name its own step, not {document['stepId']}")
            criteria = self._parse_criteria(document.get("criteria", []))
            return Retry(document.get("retryAfter", 0.0), document.get("retryLimit", 1), criteria)
        return None

    def _check_references(
        self, expressions: Iterable[Expression], *, has_response: bool = True
    ) -> None:
        """Raise ``ProbeError`` when an expression refers to an undefined value."""
        for expression in expressions:
            parts = expression.parts
            step = parts["step"]
            if parts["input"] and parts["input"] not in self._inputs:
                raise ProbeError(f"there is no input {parts['input']}")
            if step and parts["output"] not in self._outputs.get(step, set()):
                raise ProbeError(f"no earlier step has the output {expression.text}")
            if not parts["input"] and not step and not has_response:
                raise ProbeError(f"{expression.text}: no response is available yet")


def _parameter_key(location: str, name: str) -> tuple[str, str]:
    """Return the identity of a parameter; the names of headers are case-insensitive."""
    return location, name.lower() if location == "header" else name
