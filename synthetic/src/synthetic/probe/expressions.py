"""Runtime expressions of Arazzo 1.0.1: the subset that journeys use."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthetic.probe.http import Response
from synthetic.probe.results import ProbeError

NAME = r"[A-Za-z0-9_-]+"
POINTER = r"(?:#(?P<pointer>(?:/[^\s]*)?))?"
_EXPRESSION = re.compile(
    rf"\$(?:(?P<status>statusCode)"
    rf"|inputs\.(?P<input>{NAME})"
    rf"|steps\.(?P<step>{NAME})\.outputs\.(?P<output>{NAME})"
    rf"|response\.header\.(?P<header>[A-Za-z0-9!#$%&'*+.^_`|~-]+)"
    rf"|response\.(?P<body>body){POINTER})\Z"
)
_EMBEDDED = re.compile(r"\{(\$[^{}]+)\}")


@dataclass(slots=True)
class Context:
    """Values that expressions refer to at one point of a run."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    parts: Mapping[str, str | None]

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - any JSON
        """Return the expression's value, or None when it is undefined."""
        parts = self.parts
        if parts["input"]:
            return context.inputs.get(parts["input"])
        if parts["step"]:
            return context.steps.get(parts["step"], {}).get(parts["output"] or "")
        if context.response is None:
            return None
        if parts["status"]:
            return context.response.status
        if parts["header"]:
            return context.response.headers.get(parts["header"].lower())
        return _resolve_pointer(parts["pointer"], _parse_body(context.response))


def parse_expression(text: str) -> Expression:
    """Parse an expression such as ``$steps.create.outputs.id``.

    Raises:
        ProbeError: the expression is invalid or not supported.

    """
    match = _EXPRESSION.match(text)
    if match is None:
        raise ProbeError(
            f"{text} is not supported: an expression is $inputs.NAME, $steps.ID.outputs.NAME, "
            "$statusCode, $response.header.NAME, $response.body or $response.body#/POINTER"
        )
    return Expression(text, match.groupdict())


def expressions_in(template: Any) -> list[Expression]:  # noqa: ANN401 - any JSON
    """Return all expressions in a payload or in a parameter's value."""
    if isinstance(template, Mapping):
        return [found for value in template.values() for found in expressions_in(value)]
    if isinstance(template, list):
        return [found for value in template for found in expressions_in(value)]
    if not isinstance(template, str):
        return []
    whole = [template] if template.startswith("$") else _EMBEDDED.findall(template)
    return [parse_expression(text) for text in whole]


def interpolate(template: Any, context: Context) -> Any:  # noqa: ANN401 - any JSON
    """Return a payload or a parameter's value with its expressions evaluated."""
    if isinstance(template, Mapping):
        return {name: interpolate(value, context) for name, value in template.items()}
    if isinstance(template, list):
        return [interpolate(value, context) for value in template]
    if not isinstance(template, str):
        return template
    if template.startswith("$"):
        return parse_expression(template).evaluate(context)
    return _EMBEDDED.sub(
        lambda match: as_text(parse_expression(match[1]).evaluate(context)), template
    )


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as text for paths, headers and strings: strings unquoted, others as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parse_body(response: Response) -> Any:  # noqa: ANN401 - any JSON, or text
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return response.body.decode(errors="replace")


def _resolve_pointer(pointer: str | None, document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value at a JSON pointer (RFC 6901), or None without one."""
    for raw in (pointer or "").split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
