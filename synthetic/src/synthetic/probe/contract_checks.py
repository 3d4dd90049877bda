"""Mistakes that only the contract shows: statuses, bodies and outputs of steps."""

import json
import re
from collections.abc import Iterator

from synthetic.probe.cursor import Cursor
from synthetic.probe.documents import Node
from synthetic.probe.expressions import Expression
from synthetic.probe.journey import RequestBody, Step, Workflow
from synthetic.probe.operation import Operation
from synthetic.probe.problems import closest, quoted
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.verify import MIN_ERROR_STATUS

MAX_DEPTH = 30  # of schemas within schemas
COMPOSITES = ("allOf", "anyOf", "oneOf")
_STATUS = re.compile(r"\$statusCode\s*==\s*'?([1-5]\d\d)\b")


def check_steps(cursor: Cursor, workflow: Workflow) -> None:
    """Record what contradicts the contract in the steps of a workflow without other mistakes."""
    for item, step in zip(cursor.items("steps"), workflow.steps, strict=True):
        cleanup = item.get("x-cleanup")
        _check_step(item, step)
        if cleanup is not None and step.cleanup is not None:
            _check_step(cleanup, step.cleanup)


def _check_step(cursor: Cursor, step: Step) -> None:
    if isinstance(step.call, tuple):
        return
    try:
        statuses = _check_statuses(cursor, step.call)
        # a step that expects an error may send what the contract forbids
        if step.body is not None and not any(status >= MIN_ERROR_STATUS for status in statuses):
            _check_body(cursor, step.call, step.body)
        _check_outputs(cursor, step.call, step)
    except ProbeError as error:
        cursor.problem(str(error))


def _check_statuses(cursor: Cursor, operation: Operation) -> list[int]:
    """Return the statuses that a step expects; one that is not declared is a problem."""
    statuses = []
    for criterion in cursor.items("successCriteria"):
        for status in map(int, _STATUS.findall(criterion.text("condition"))):
            statuses.append(status)
            if not _declares(operation, status):
                criterion.problem(
                    f"the contract does not declare the status {status} of {operation.operation_id}"
                )
    return statuses


def _declares(operation: Operation, status: int) -> bool:
    try:
        operation.declared_response(status)
    except StepError:
        return False
    return True


def _check_body(cursor: Cursor, operation: Operation, body: RequestBody) -> None:
    """Validate a payload without expressions against the contract."""
    payload, place = body.payload.value, cursor.get("requestBody") or cursor
    if body.payload.expressions or body.replacements:
        return
    content_type = body.content_type or operation.default_content_type
    if operation.request_media(content_type) is None:
        place.problem(f"{operation.operation_id} accepts no body of type {quoted(content_type)}")
    elif "json" in content_type:
        try:
            payload = json.loads(payload) if body.payload.is_text else payload
        except ValueError as error:
            place.problem(f"the payload is not JSON: {error}")
            return
        for error_text in operation.request_errors(content_type, payload):
            place.problem(f"the payload violates the contract{error_text}")


def _check_outputs(cursor: Cursor, operation: Operation, step: Step) -> None:
    schemas = list(_response_schemas(operation))
    for name, member in cursor.members("outputs"):
        output = step.outputs.get(name)
        if not isinstance(output, Expression) or output.parts["message"] != "response":
            continue
        pointer = output.parts["body_pointer"] or ""
        steps = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
        if steps and schemas and not any(_may_have(schema, steps, 0) for schema in schemas):
            names = [known for schema in schemas for known in _names(schema)]
            hint = closest(steps[0], names)
            message = f"no response of {operation.operation_id} has {quoted(pointer[1:])}"
            member.problem(f"{message}; {hint}" if hint else message)


def _response_schemas(operation: Operation) -> Iterator[Node]:
    """Yield the schemas of JSON responses."""
    for response in dict(operation.responses.items()).values():
        content = response.get("content")
        for media, described in content.items() if content else []:
            schema = described.get("schema")
            if schema is not None and "json" in media:
                yield schema


def _names(schema: Node) -> list[str]:
    properties = schema.get("properties")
    return list(properties.value) if properties and isinstance(properties.value, dict) else []


def _may_have(schema: Node, steps: list[str], depth: int) -> bool:
    """Return whether a value that matches a schema may have a member at a pointer."""
    if not steps or not isinstance(schema.value, dict) or depth > MAX_DEPTH:
        return True
    parts = [e for name in COMPOSITES if (part := schema.get(name)) for e in part.elements()]
    if any(_may_have(part, steps, depth + 1) for part in parts):
        return True
    properties, items = schema.get("properties"), schema.get("items")
    member = properties.get(steps[0]) if properties else None
    if member is None and items is not None and steps[0].isdigit():
        member = items
    if member is not None:
        return _may_have(member, steps[1:], depth + 1)
    is_described = bool(properties or items or parts)
    return not is_described or bool(schema.value.get("additionalProperties"))
