"""Runtime expressions of Arazzo 1.0.1 and 1.1.0."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import UNDEFINED, Context, look_up, resolve_pointer
from synthetic.probe.runtime_values import dereference as dereference_path

_KEYWORDS = "url|method|statusCode|self"
_ROOTS = "request|response|inputs|outputs|steps|workflows|sourceDescriptions|components|message"
_START = re.compile(rf"\$(?:(?:{_KEYWORDS})\Z|(?:{_ROOTS})\.)")
_EXPRESSION = re.compile(
    rf"\$(?:(?P<keyword>{_KEYWORDS})"
    r"|(?P<message>request|response)\."
    r"(?:header\.(?P<header>[A-Za-z0-9!#$%&'*+.^_`|~-]+)"
    r"|(?P<part>query|path)\.(?P<parameter>.+)"
    r"|body(?P<body>[.\[][^#]*)?(?P<body_pointer>#(?:/.*)?)?)"
    r"|(?P<values>inputs|outputs)\.(?P<name>[^#]+)(?P<name_pointer>#(?:/.*)?)?"
    r"|steps\.(?P<step>.+?)\.outputs\.(?P<output>[^#]+)(?P<output_pointer>#(?:/.*)?)?"
    r"|workflows\.(?P<workflow>.+?)\.(?P<field>inputs|outputs)"
    r"\.(?P<field_name>[^#]+)(?P<field_pointer>#(?:/.*)?)?"
    r"|sourceDescriptions\.(?P<source>[^.]+)\.(?P<source_field>.+)"
    r"|components\.parameters\.(?P<component>.+)"
    r")\Z",
    re.DOTALL,
)
MAX_LENGTH = 2000  # characters: the search for `.outputs.` is not linear
FORMS = (
    "$inputs.NAME, $steps.ID.outputs.NAME, $workflows.ID.outputs.NAME, $outputs.NAME, $statusCode, "
    "$response.header.NAME, $response.body#/POINTER, $request.query.NAME, $url, $method"
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    parts: dict[str, str | None]

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - any JSON
        """Return the expression's value, or ``UNDEFINED``."""
        parts = self.parts
        if parts["keyword"]:
            return _keyword(parts["keyword"], context)
        if parts["message"]:
            return _of_message(parts, context)
        if parts["source"]:
            source = context.document.sources.get(parts["source"], {})
            return source.get(parts["source_field"] or "", UNDEFINED)
        if parts["component"]:
            return context.document.parameters.get(parts["component"], UNDEFINED)
        return _of_values(parts, context)

    @property
    def needs_response(self) -> bool:
        """True if the expression has no value before a request."""
        return bool(self.parts["message"]) or self.parts["keyword"] in {
            "url",
            "method",
            "statusCode",
        }


def is_expression(text: str) -> bool:
    """Return whether a string is an expression, and no literal such as `$5.00`."""
    return _START.match(text) is not None


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """Parse an expression such as ``$steps.create.outputs.id``.

    Raises:
        ProbeError: the expression is invalid or not supported.

    """
    match = _EXPRESSION.match(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        if text.startswith("$message."):
            raise ProbeError(f"{text}: messages of AsyncAPI are not supported")
        from synthetic.probe.expression_hints import nearest  # noqa: PLC0415 - only mistakes need it

        meant = nearest(text[:MAX_LENGTH])
        remedy = f"did you mean {meant[:100]}?" if meant else f"write one like {FORMS}"
        raise ProbeError(f"{text[:100]} is not an expression: {remedy}")
    return Expression(text, match.groupdict())


def _keyword(keyword: str, context: Context) -> Any:  # noqa: ANN401 - any JSON
    if keyword == "self":
        return context.document.self_uri or UNDEFINED
    if keyword == "statusCode":
        return context.response.status if context.response else UNDEFINED
    if context.request is None:
        return UNDEFINED
    return context.request.url if keyword == "url" else context.request.method


def _of_message(parts: dict[str, str | None], context: Context) -> Any:  # noqa: ANN401 - any JSON
    message = context.request if parts["message"] == "request" else context.response
    if message is None:
        return UNDEFINED
    if parts["header"]:
        headers = {name.lower(): value for name, value in message.headers.items()}
        return headers.get(parts["header"].lower(), UNDEFINED)
    if parts["part"]:
        if context.request is None or message is not context.request:
            return UNDEFINED
        location = (parts["part"], parts["parameter"] or "")
        return context.request.parameters.get(location, UNDEFINED)
    is_request = context.request is not None and message is context.request
    body = context.request.body if is_request and context.request else context.response_body()
    return _part(dereference_path(body, parts["body"] or ""), parts["body_pointer"])


def _of_values(parts: dict[str, str | None], context: Context) -> Any:  # noqa: ANN401 - any JSON
    """Return an input or an output of this workflow, of a step, or of another workflow."""
    if parts["values"]:
        values = context.inputs if parts["values"] == "inputs" else context.outputs
        return _part(look_up(values, parts["name"] or ""), parts["name_pointer"])
    if parts["step"]:
        values = context.steps.get(parts["step"], {})
        return _part(look_up(values, parts["output"] or ""), parts["output_pointer"])
    workflow = context.workflows.get(parts["workflow"] or "")
    if workflow is None:
        return UNDEFINED
    values = workflow.inputs if parts["field"] == "inputs" else workflow.outputs
    return _part(look_up(values, parts["field_name"] or ""), parts["field_pointer"])


def _part(value: Any, pointer: str | None) -> Any:  # noqa: ANN401 - any JSON
    return resolve_pointer(value, pointer[1:]) if pointer else value
