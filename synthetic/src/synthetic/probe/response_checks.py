"""Expressions over parts of responses that the contract does not declare: members and headers."""

import re
from collections.abc import Iterable, Iterator

from synthetic.probe.cursor import Cursor
from synthetic.probe.documents import Node
from synthetic.probe.expressions import Expression
from synthetic.probe.journey import Step
from synthetic.probe.operation import Operation
from synthetic.probe.problems import closest, quoted
from synthetic.probe.templates import Selection

MAX_DEPTH = 30  # of schemas within schemas
COMPOSITES = ("allOf", "anyOf", "oneOf")
# fields of RFC 9110, 9111, 6797, 6265 and 8288 that servers send without a declaration
COMMON_HEADERS = frozenset((
    "accept-ranges", "age", "allow", "cache-control", "connection", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-location",
    "content-range", "content-type", "date", "etag", "expires", "last-modified", "link",
    "location", "retry-after", "server", "set-cookie", "strict-transport-security", "trailer",
    "transfer-encoding", "upgrade", "vary", "via", "www-authenticate",
))  # fmt: skip
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def check_responses(cursor: Cursor, operation: Operation, step: Step) -> None:
    """Record expressions over members and headers that no response of an operation has."""
    schemas, headers = list(_schemas(operation)), set(_headers(operation))
    for place, expressions in _expressions(cursor, step):
        for expression in expressions:
            if expression.parts["message"] == "response":
                _check_member(place, operation, expression, schemas)
                _check_header(place, operation, expression, headers)


def _expressions(cursor: Cursor, step: Step) -> Iterator[tuple[Cursor, Iterable[Expression]]]:
    """Yield the expressions of the criteria and outputs of a step with their places."""
    for item, criterion in zip(cursor.items("successCriteria"), step.criteria, strict=False):
        yield item.get("condition") or item, criterion.expressions
    for name, member in cursor.members("outputs"):
        output = step.outputs.get(name)
        if isinstance(output, Selection):
            yield member, (output.context,)
        elif output is not None:
            yield member, (output,)


def _check_member(
    place: Cursor, operation: Operation, expression: Expression, schemas: list[Node]
) -> None:
    path = _STEP.findall(expression.parts["body"] or "")
    pointer = expression.parts["body_pointer"] or ""
    steps = [name or index for name, index in path]
    steps += [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if steps and schemas and not any(_may_have(schema, steps, 0) for schema in schemas):
        hint = closest(steps[0], [name for schema in schemas for name in _names(schema)])
        shown = pointer[1:] or expression.parts["body"]
        message = f"no response of {operation.operation_id} has {quoted(shown)}"
        place.problem(f"{message}; {hint}" if hint else message)


def _check_header(
    place: Cursor, operation: Operation, expression: Expression, headers: set[str]
) -> None:
    name = (expression.parts["header"] or "").lower()
    if name and name not in headers | COMMON_HEADERS:
        hint = closest(name, headers)
        message = f"no response of {operation.operation_id} declares the header {quoted(name)}"
        place.warn(f"{message}; {hint}" if hint else message)


def _headers(operation: Operation) -> Iterator[str]:
    for response in dict(operation.responses.items()).values():
        headers = response.get("headers")
        yield from (name.lower() for name in (headers.value if headers else ()))


def _schemas(operation: Operation) -> Iterator[Node]:
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
