"""Values that a step passes to its operation or workflow, with their expressions evaluated."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from synthetic.probe.journey import Parameter, Replacement, RequestBody
from synthetic.probe.queries import parse_xml
from synthetic.probe.results import StepError, public_error
from synthetic.probe.runtime_values import UNDEFINED, Context, as_text


def parameter_values(
    parameters: tuple[Parameter, ...], context: Context
) -> list[tuple[Parameter, Any]]:
    """Return the parameters that have a value.

    Raises:
        StepError: a path parameter has no value.

    """
    values = [(parameter, parameter.value.evaluate(context)) for parameter in parameters]
    for parameter, value in values:
        if value is UNDEFINED and parameter.location == "path":
            texts = ", ".join(e.text for e in parameter.value.expressions)
            raise public_error(
                "assertion", f"the path parameter {parameter.name} has no value: {texts}"
            )
    return [(parameter, value) for parameter, value in values if value is not UNDEFINED]


def payload_value(body: RequestBody, context: Context) -> tuple[Any, bool]:
    """Return the payload, and whether it is a text to be sent as it stands.

    Raises:
        StepError: the payload has no value, or a replacement has no place in it.

    """
    payload = body.payload.evaluate(context)
    if payload is UNDEFINED:
        texts = ", ".join(e.text for e in body.payload.expressions)
        raise public_error("assertion", f"the payload has no value: {texts}")
    if not body.replacements:
        return payload, body.payload.is_text
    if any(replacement.kind == "xpath" for replacement in body.replacements):
        return _replace_in_xml(payload, body.replacements, context), True
    payload = _structure(payload)
    for replacement in body.replacements:
        value = replacement.value.evaluate(context)
        if value is not UNDEFINED:
            payload = _replace(payload, replacement, value)
    return payload, False


def _structure(payload: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a payload as a structure: a text is parsed as JSON, or else as a form."""
    if not isinstance(payload, str):
        return copy.deepcopy(payload)
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        from urllib.parse import parse_qsl  # noqa: PLC0415 - few journeys need it

        return dict(parse_qsl(payload, keep_blank_values=True))


def _replace(payload: Any, replacement: Replacement, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if replacement.kind == "jsonpointer":
        pointers = [pointer_steps(replacement.target)]
    else:
        pointers = _locations(payload, replacement)
    for pointer in pointers:
        payload = set_at(payload, pointer, value, replacement.target)
    return payload


def pointer_steps(pointer: str) -> list[str]:
    """Return the unescaped steps of a JSON pointer (RFC 6901)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def set_at(payload: Any, pointer: list[str], value: Any, target: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a payload with a value at the steps of a JSON pointer, which ``target`` names.

    Raises:
        StepError: with the reason runner, when the payload has no place for it.

    """
    if not pointer:
        return value
    parent = payload
    for step in pointer[:-1]:
        parent = _child(parent, step, target)
    last = pointer[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last == "-":
        parent.append(value)
    else:
        _child(parent, last, target)
        parent[int(last)] = value
    return payload


def _child(parent: Any, step: str, target: str) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(parent, dict) and step in parent:
        return parent[step]
    if isinstance(parent, list) and step.isdecimal() and int(step) < len(parent):
        return parent[int(step)]
    raise public_error("runner", f"the replacement {target[:100]} has no place in the payload")


def _locations(payload: Any, replacement: Replacement) -> list[list[str]]:  # noqa: ANN401 - any JSON
    """Return where a JSONPath selects: the objects that it finds, searched for in the payload."""
    from jsonpath_rfc9535 import JSONPathError, find  # noqa: PLC0415 - few journeys need it

    try:
        nodes = find(replacement.target, payload)
    except JSONPathError as error:
        raise StepError("runner", f"{replacement.target[:100]}: {error}") from error
    if not nodes:
        raise public_error(
            "runner", f"the replacement {replacement.target[:100]} has no place in the payload"
        )
    return [[str(step) for step in node.location] for node in nodes]


def _replace_in_xml(
    payload: Any,  # noqa: ANN401 - any JSON
    replacements: tuple[Replacement, ...],
    context: Context,
) -> str:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - document types are rejected

    import elementpath  # noqa: PLC0415 - few journeys need it

    try:
        root = parse_xml(payload)
        for replacement in replacements:
            value = replacement.value.evaluate(context)
            path, _, attribute = replacement.target.rpartition("/@")
            found: Any = elementpath.select(
                root, path if attribute and path else replacement.target
            )
            if not isinstance(found, list) or not all(ET.iselement(f) for f in found):
                found = []
            if not found:
                raise public_error(
                    "runner",
                    f"the replacement {replacement.target[:100]} has no place in the payload",
                )
            for element in found if value is not UNDEFINED else ():
                if path and attribute:
                    element.set(attribute, as_text(value))
                else:
                    element[:] = []
                    element.text = as_text(value)
    except ValueError as error:
        raise StepError("runner", str(error)) from error
    return ET.tostring(root, encoding="unicode")


def input_values(parameters: tuple[Parameter, ...], context: Context) -> Mapping[str, Any]:
    """Return the inputs that a step or an action passes to a workflow."""
    return {parameter.name: value for parameter, value in parameter_values(parameters, context)}
