"""Literal values of requests that violate the contract: parameters, payloads and replacements."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.expressions import Expression
from synthetic.probe.journey import Parameter, Replacement, RequestBody
from synthetic.probe.media_types import parse_media_type
from synthetic.probe.operation import Operation
from synthetic.probe.problems import MAX_PROBLEMS, closest, quoted
from synthetic.probe.schemas import Violation
from synthetic.probe.step_values import pointer_steps, set_at
from synthetic.probe.templates import EmbeddingText, Selection

# violations of these concern the names of members alone, and no values
NAME_KEYWORDS = frozenset(("required", "additionalProperties", "unevaluatedProperties"))
DYNAMIC = (Expression, EmbeddingText, Selection)


def check_parameters(cursor: Cursor, operation: Operation, parameters: Iterable[Parameter]) -> None:
    """Validate the literal values of parameters against their schemas."""
    places = {
        (members_of(item.value).get("in"), members_of(item.value).get("name")): item
        for item in cursor.items("parameters")
    }
    for parameter in parameters:
        place = places.get((parameter.location, parameter.name))
        spec = operation.spec(parameter.location, parameter.name)
        if place is None or spec.schema is None or parameter.value.expressions:
            continue
        value = parameter.value.value
        violations = list(operation.schemas.errors(spec.schema, value, "request"))
        # a text may stand for the value that it becomes in a URL
        if violations and isinstance(value, str):
            other = _parsed(value)
            violations = list(operation.schemas.errors(spec.schema, other, "request"))
        if violations:
            found = place.get("value") or place
            found.problem(f"the parameter {parameter.name} violates the contract{violations[0]}")


def check_body(cursor: Cursor, operation: Operation, body: RequestBody) -> None:
    """Validate a payload against the contract; the values of expressions are not known."""
    place = cursor.get("requestBody") or cursor
    value = place.get("payload") or place
    if operation.request_content is None:
        place.problem(f"{operation.operation_id} takes no requestBody")
        return
    content_type = body.content_type or operation.default_content_type
    if operation.request_media(content_type) is None:
        known = list(operation.request_content.value)
        hint = closest(content_type, known) or f"it accepts {', '.join(known)}"
        found = place.get("contentType") or place
        found.problem(
            f"{operation.operation_id} accepts no body of type {quoted(content_type)}; {hint}"
        )
        return
    if not parse_media_type(content_type).is_json or isinstance(body.payload.value, DYNAMIC):
        return
    payload = body.payload.value
    try:
        payload = json.loads(payload) if body.payload.is_text else payload
    except (ValueError, RecursionError) as error:
        value.problem(f"the payload is not JSON: {error}")
        return
    for violation in _violations(operation, content_type, payload, body.replacements):
        value.at(violation.pointer).problem(f"the payload violates the contract{violation}")
    for item, replacement in zip(place.items("replacements"), body.replacements, strict=False):
        if replacement.kind == "jsonpointer" and not _has_place(payload, replacement.target):
            found = item.get("target") or item
            found.problem(f"the payload has no place for {quoted(replacement.target)}")


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _violations(
    operation: Operation,
    content_type: str,
    payload: Any,  # noqa: ANN401 - any JSON
    replacements: tuple[Replacement, ...],
) -> Iterator[Violation]:
    """Yield the violations that no value of an expression or of a replacement can avoid."""
    if any(replacement.kind != "jsonpointer" for replacement in replacements):
        return
    unknown = [*_dynamic_pointers(payload, ""), *(each.target for each in replacements)]
    known = _without_dynamic(payload)
    for replacement in replacements:
        if _has_place(known, replacement.target):
            known = set_at(known, pointer_steps(replacement.target), None, replacement.target)
    violations = operation.request_errors(content_type, known)
    for violation in islice(violations, MAX_PROBLEMS):
        keyword = violation.schema.rpartition("/")[2]
        if any(_is_within(violation.pointer, pointer) for pointer in unknown):
            continue
        depends = any(_is_within(pointer, violation.pointer) for pointer in unknown)
        if not depends or keyword in NAME_KEYWORDS:
            yield violation


def _dynamic_pointers(value: Any, pointer: str) -> Iterator[str]:  # noqa: ANN401 - any template
    if isinstance(value, DYNAMIC):
        yield pointer
    elif isinstance(value, dict | list):
        for name, member in _members(value):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _dynamic_pointers(member, f"{pointer}/{step}")


def _without_dynamic(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, DYNAMIC):
        return None
    if isinstance(value, dict):
        return {name: _without_dynamic(member) for name, member in value.items()}
    return [_without_dynamic(member) for member in value] if isinstance(value, list) else value


def _members(value: dict[str, Any] | list[Any]) -> Iterable[tuple[str | int, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _is_within(pointer: str, other: str) -> bool:
    """Return whether a pointer leads to a value, or to a part of it."""
    return pointer == other or pointer.startswith(f"{other}/")


def _has_place(payload: Any, target: str) -> bool:  # noqa: ANN401 - any template
    """Return whether the parent of a replaced value exists, and can have it."""
    *path, last = pointer_steps(target) or [""]
    for step in path:
        if isinstance(payload, DYNAMIC):
            return True
        found = _member(payload, step)
        if found is None:
            return False
        payload = found[0]
    if isinstance(payload, (dict, *DYNAMIC)) or not target:
        return True
    return isinstance(payload, list) and (last == "-" or _member(payload, last) is not None)


def _member(value: Any, step: str) -> tuple[Any] | None:  # noqa: ANN401 - any template
    if isinstance(value, dict):
        return (value[step],) if step in value else None
    is_index = isinstance(value, list) and step.isdecimal() and int(step) < len(value)
    return (value[int(step)],) if is_index else None
