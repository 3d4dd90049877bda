"""Criteria: what must be so of an answer, in one of three languages."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.expressions import Context, Expression, as_text, parse_expression
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


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition, read once."""

    text: str
    evaluate: Evaluator
    expressions: tuple[Expression, ...]

    @property
    def only_checks_status(self) -> bool:
        """Whether it looks at the status and at nothing else of the answer."""
        return [e.text for e in self.expressions] == ["$statusCode"] * len(self.expressions)


def parse_criterion(document: Mapping[str, Any]) -> Criterion:
    """Read a Criterion Object.

    Raises:
        UsageError: it is wrong, or of a type that is not supported.

    """
    condition, kind = str(document["condition"]).strip(), document.get("type", "simple")
    if kind == "simple":
        simple = _ConditionParser(condition)
        return Criterion(condition, simple.test, tuple(simple.expressions))
    if "context" not in document:
        raise ProbeError(f"the {kind} criterion {condition} needs a context")
    context = parse_expression(document["context"])
    test = _regex(condition, context) if kind == "regex" else _jsonpath(condition, context)
    return Criterion(f"{context.text} {kind} {condition}", test, (context,))


def _regex(condition: str, context: Expression) -> Evaluator:
    try:
        pattern = re.compile(condition)
    except re.error as error:
        raise ProbeError(f"{condition} is no regular expression: {error}") from error
    return lambda scope: pattern.search(as_text(context.evaluate(scope))) is not None


def _jsonpath(condition: str, context: Expression) -> Evaluator:
    from jsonpath_ng.exceptions import JSONPathError  # noqa: PLC0415 - most journeys need none
    from jsonpath_ng.ext.parser import parse as parse_path  # noqa: PLC0415

    try:
        path = parse_path(condition)
    except JSONPathError as error:
        raise ProbeError(f"{condition} is no JSONPath: {error}") from error
    return lambda scope: bool(path.find(context.evaluate(scope)))


class _ConditionParser:
    """A condition in Arazzo's own language, taken apart by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenize(text)
        self.expressions: list[Expression] = []
        self.test = self._or()
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
        test = self._and()
        while self._accept("||"):
            test = _any_of(test, self._and())
        return test

    def _and(self) -> Evaluator:
        test = self._comparison()
        while self._accept("&&"):
            test = _all_of(test, self._comparison())
        return test

    def _comparison(self) -> Evaluator:
        left = self._operand()
        operation = self._accept("==", "!=", *_ORDERINGS)
        if operation is None:
            return left
        right = self._operand()
        return lambda scope: _compare(operation, left(scope), right(scope))

    def _operand(self) -> Evaluator:
        if self._accept("!"):
            inner = self._operand()
            return lambda scope: not inner(scope)
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
        return ProbeError(f"the condition {self._text} cannot be read")


def _any_of(left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda scope: left(scope) or right(scope)


def _all_of(left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda scope: left(scope) and right(scope)


def _literal(kind: str, text: str) -> str | float | bool | None:
    if kind == "string":
        return text.replace("''", "'")
    if kind == "word":
        return _KEYWORDS[text]
    return float(text) if "." in text else int(text)


def _compare(operation: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON
    """Compare as Arazzo does: strings without regard to case, types only with their own."""
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    if operation in {"==", "!="}:
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        return same is (operation == "==")
    try:
        return _ORDERINGS[operation](left, right)
    except TypeError:
        return False
