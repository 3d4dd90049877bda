"""Values of a document that contain runtime expressions: parsed once, evaluated in each run."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.expressions import Expression, is_expression, parse_expression
from synthetic.probe.queries import Query, text_of
from synthetic.probe.results import public_error
from synthetic.probe.runtime_values import UNDEFINED, Context, as_text

_EMBEDDED = re.compile(r"\{(\$[^{}]+)\}")


@dataclass(frozen=True, slots=True)
class EmbeddingText:
    """A string with embedded expressions: literals and expressions in turn."""

    pieces: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The embedded expressions."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Expression))

    def evaluate(self, context: Context) -> str:
        """Return the string with its expressions replaced.

        Raises:
            StepError: an expression has no value.

        """
        return "".join(
            piece if isinstance(piece, str) else as_text(_defined(piece, context))
            for piece in self.pieces
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """A Selector Object of Arazzo 1.1.0: a query over the value of an expression."""

    context: Expression
    query: Query

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - any JSON
        """Return the selected part, an array of several ones, or ``UNDEFINED``."""
        value = self.context.evaluate(context)
        if value is UNDEFINED or value is None:
            return UNDEFINED
        try:
            found = [text_of(node) for node in self.query(value)]
        except ValueError:
            return UNDEFINED
        return (found[0] if len(found) == 1 else found) if found else UNDEFINED


@dataclass(frozen=True, slots=True)
class Template:
    """A value in which expressions are leaves."""

    value: Any

    @property
    def expressions(self) -> list[Expression]:
        """All expressions of the value."""
        return list(_expressions(self.value))

    @property
    def is_text(self) -> bool:
        """True if the value is a string as it is written, and no single expression."""
        return isinstance(self.value, str | EmbeddingText)

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - any JSON
        """Return the value with its expressions evaluated, or ``UNDEFINED``.

        Members and elements without a value are left out.

        Raises:
            StepError: an expression within a string has no value.

        """
        return _evaluate(self.value, context)


def parse_template(
    value: Any,  # noqa: ANN401 - any JSON
    parse_selector: Callable[[Mapping[str, Any]], Selection | None] = lambda _: None,
) -> Template:
    """Parse the expressions of a value.

    Raises:
        ProbeError: an expression is invalid.

    """
    return Template(_parse(value, parse_selector))


def parse_text(text: str) -> str | EmbeddingText:
    """Parse a string with embedded expressions such as ``{$inputs.id}``; others stay literal.

    Raises:
        ProbeError: an expression is invalid.

    """
    pieces: list[str | Expression] = []
    end = 0
    for match in _EMBEDDED.finditer(text):
        if is_expression(match[1]):
            pieces += [text[end : match.start()], parse_expression(match[1])]
            end = match.end()
    return EmbeddingText((*pieces, text[end:])) if pieces else text


def _parse(value: Any, parse_selector: Callable[[Mapping[str, Any]], Selection | None]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return parse_expression(value) if is_expression(value) else parse_text(value)
    if isinstance(value, list):
        return [_parse(item, parse_selector) for item in value]
    if not isinstance(value, dict):
        return value
    selection = parse_selector(value)
    return selection or {name: _parse(item, parse_selector) for name, item in value.items()}


def _expressions(value: Any) -> Iterator[Expression]:  # noqa: ANN401 - any template
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, EmbeddingText):
        yield from value.expressions
    elif isinstance(value, Selection):
        yield value.context
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _expressions(item)


def _evaluate(value: Any, context: Context) -> Any:  # noqa: ANN401 - any template
    if isinstance(value, Expression | EmbeddingText | Selection):
        return value.evaluate(context)
    if isinstance(value, dict):
        members = ((name, _evaluate(item, context)) for name, item in value.items())
        return {name: item for name, item in members if item is not UNDEFINED}
    if isinstance(value, list):
        return [item for v in value if (item := _evaluate(v, context)) is not UNDEFINED]
    return value


def _defined(expression: Expression, context: Context) -> Any:  # noqa: ANN401 - any JSON
    value = expression.evaluate(context)
    if value is UNDEFINED:
        raise public_error("assertion", f"{expression.text} has no value")
    return value
