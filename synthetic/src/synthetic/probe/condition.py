"""Parser of Arazzo's simple conditions by recursive descent."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from synthetic.probe.expressions import Context, Expression, parse_expression
from synthetic.probe.results import ProbeError

Evaluator = Callable[[Context], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>\|\||&&|==|!=|<=|>=|[<>!()])"
    r"|'(?P<string>(?:[^']|'')*)'"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<word>true|false|null)(?!\w)"
    r"|(?P<expression>\$[^\s()<>=!&|]+))"
)
_KEYWORDS = {"true": True, "false": False, "null": None}
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ConditionParser:
    """Parses a simple condition into ``evaluate``, and collects its expressions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenize(text)
        self.expressions: list[Expression] = []
        self.evaluate = self._or()
        if self._tokens:
            raise self._syntax_error()

    def _tokenize(self, text: str) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._syntax_error()
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            position = match.end()
        return tokens

    def _accept(self, *operators: str) -> str | None:
        if self._tokens and self._tokens[0][0] == "operator" and self._tokens[0][1] in operators:
            return self._tokens.pop(0)[1]
        return None

    def _or(self) -> Evaluator:
        left = self._and()
        while self._accept("||"):
            left = _any_of(left, self._and())
        return left

    def _and(self) -> Evaluator:
        left = self._comparison()
        while self._accept("&&"):
            left = _all_of(left, self._comparison())
        return left

    def _comparison(self) -> Evaluator:
        left = self._operand()
        operation = self._accept("==", "!=", *_ORDERINGS)
        if operation is None:
            return left
        right = self._operand()
        return lambda context: _compare(operation, left(context), right(context))

    def _operand(self) -> Evaluator:
        if self._accept("!"):
            inner = self._operand()
            return lambda context: not inner(context)
        if self._accept("("):
            inner = self._or()
            if not self._accept(")"):
                raise self._syntax_error()
            return inner
        if not self._tokens or self._tokens[0][0] == "operator":
            raise self._syntax_error()
        kind, text = self._tokens.pop(0)
        if kind == "expression":
            self.expressions.append(parse_expression(text))
            return self.expressions[-1].evaluate
        literal = _literal(kind, text)
        return lambda _: literal

    def _syntax_error(self) -> ProbeError:
        return ProbeError(f"the condition {self._text} has a syntax error")


def _any_of(left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda context: left(context) or right(context)


def _all_of(left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda context: left(context) and right(context)


def _literal(kind: str, text: str) -> str | float | bool | None:
    if kind == "string":
        return text.replace("''", "'")
    if kind == "word":
        return _KEYWORDS[text]
    return float(text) if "." in text else int(text)


def _compare(operation: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON
    """Compare as Arazzo does: strings case-insensitively, values of different types as unequal."""
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    if operation in {"==", "!="}:
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        return same is (operation == "==")
    try:
        return _ORDERINGS[operation](left, right)
    except TypeError:
        return False
