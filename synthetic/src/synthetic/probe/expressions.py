"""Runtime expressions of Arazzo 1.0.1, as far as journeys need them."""

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
    """What expressions may speak of at one point of a run."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: Response | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression, read once."""

    text: str
    parts: Mapping[str, str | None]

    def evaluate(self, scope: Context) -> Any:  # noqa: ANN401 - any JSON
        """Return what it stands for; null when there is no such thing."""
        parts = self.parts
        if parts["input"]:
            return scope.inputs.get(parts["input"])
        if parts["step"]:
            return scope.steps.get(parts["step"], {}).get(parts["output"] or "")
        if scope.answer is None:
            return None
        if parts["status"]:
            return scope.answer.status
        if parts["header"]:
            return scope.answer.headers.get(parts["header"].lower())
        return _resolve_pointer(parts["pointer"], _parse_body(scope.answer))


def parse_expression(text: str) -> Expression:
    """Read an expression such as ``$steps.create.outputs.id``.

    Raises:
        UsageError: it is none, or one that is not supported.

    """
    match = _EXPRESSION.match(text)
    if match is None:
        raise ProbeError(
            f"{text} is not supported: an expression is $inputs.NAME, $steps.ID.outputs.NAME, "
            "$statusCode, $response.header.NAME, $response.body or $response.body#/POINTER"
        )
    return Expression(text, match.groupdict())


def expressions_in(template: Any) -> list[Expression]:  # noqa: ANN401 - any JSON
    """Return every expression in a payload or a parameter's value."""
    if isinstance(template, Mapping):
        return [found for value in template.values() for found in expressions_in(value)]
    if isinstance(template, list):
        return [found for value in template for found in expressions_in(value)]
    if not isinstance(template, str):
        return []
    whole = [template] if template.startswith("$") else _EMBEDDED.findall(template)
    return [parse_expression(text) for text in whole]


def interpolate(template: Any, scope: Context) -> Any:  # noqa: ANN401 - any JSON
    """Return a payload or a parameter's value with values instead of expressions."""
    if isinstance(template, Mapping):
        return {name: interpolate(value, scope) for name, value in template.items()}
    if isinstance(template, list):
        return [interpolate(value, scope) for value in template]
    if not isinstance(template, str):
        return template
    if template.startswith("$"):
        return parse_expression(template).evaluate(scope)
    return _EMBEDDED.sub(
        lambda match: as_text(parse_expression(match[1]).evaluate(scope)), template
    )


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as it stands in a path, a header or a text: strings bare, the rest JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parse_body(answer: Response) -> Any:  # noqa: ANN401 - any JSON, or text
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return answer.body.decode(errors="replace")


def _resolve_pointer(pointer: str | None, document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what a JSON pointer (RFC 6901) leads to, null when that is nothing."""
    for raw in (pointer or "").split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
