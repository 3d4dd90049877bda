"""Criteria: what must be so of an answer, in one of three languages."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.expressions import Expression, Scope, as_text, parse
from synthetic.probe.results import UsageError

Test = Callable[[Scope], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>\|\||&&|==|!=|<=|>=|[<>!()])"
    r"|'(?P<string>(?:[^']|'')*)'"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<word>true|false|null)(?!\w)"
    r"|(?P<expression>\$[^\s()<>=!&|]+))"
)
_WORDS = {"true": True, "false": False, "null": None}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition, read once."""

    text: str
    holds: Test
    expressions: tuple[Expression, ...]

    @property
    def is_about_status(self) -> bool:
        """Whether it looks at the status and at nothing else of the answer."""
        return [e.text for e in self.expressions] == ["$statusCode"] * len(self.expressions)


def read_criterion(document: Mapping[str, Any]) -> Criterion:
    """Read a Criterion Object.

    Raises:
        UsageError: it is wrong, or of a type that is not supported.

    """
    condition, kind = str(document["condition"]).strip(), document.get("type", "simple")
    if kind == "simple":
        simple = _Simple(condition)
        return Criterion(condition, simple.test, tuple(simple.expressions))
    if "context" not in document:
        message = f"the {kind} criterion {condition} needs a context"
        raise UsageError(message)
    context = parse(document["context"])
    test = _regex(condition, context) if kind == "regex" else _jsonpath(condition, context)
    return Criterion(f"{context.text} {kind} {condition}", test, (context,))


def _regex(condition: str, context: Expression) -> Test:
    try:
        pattern = re.compile(condition)
    except re.error as error:
        message = f"{condition} is no regular expression: {error}"
        raise UsageError(message) from error
    return lambda scope: pattern.search(as_text(context.value(scope))) is not None


def _jsonpath(condition: str, context: Expression) -> Test:
    from jsonpath_ng.exceptions import JSONPathError  # noqa: PLC0415 - most journeys need none
    from jsonpath_ng.ext.parser import parse as parse_path  # noqa: PLC0415

    try:
        path = parse_path(condition)
    except JSONPathError as error:
        message = f"{condition} is no JSONPath: {error}"
        raise UsageError(message) from error
    return lambda scope: bool(path.find(context.value(scope)))


class _Simple:
    """A condition in Arazzo's own language, taken apart by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenised(text)
        self.expressions: list[Expression] = []
        self.test = self._either()
        if self._tokens:
            raise self._wrong()

    def _tokenised(self, text: str) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._wrong()
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            position = match.end()
        return tokens

    def _take(self, *operators: str) -> str | None:
        if self._tokens and self._tokens[0][0] == "operator" and self._tokens[0][1] in operators:
            return self._tokens.pop(0)[1]
        return None

    def _either(self) -> Test:
        test = self._both()
        while self._take("||"):
            test = _any(test, self._both())
        return test

    def _both(self) -> Test:
        test = self._comparison()
        while self._take("&&"):
            test = _all(test, self._comparison())
        return test

    def _comparison(self) -> Test:
        left = self._value()
        sign = self._take("==", "!=", *_ORDER)
        if sign is None:
            return left
        right = self._value()
        return lambda scope: _compare(sign, left(scope), right(scope))

    def _value(self) -> Test:
        if self._take("!"):
            inner = self._value()
            return lambda scope: not inner(scope)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._wrong()
            return inner
        if not self._tokens or self._tokens[0][0] == "operator":
            raise self._wrong()
        kind, text = self._tokens.pop(0)
        if kind == "expression":
            self.expressions.append(parse(text))
            return self.expressions[-1].value
        literal = _literal(kind, text)
        return lambda _: literal

    def _wrong(self) -> UsageError:
        return UsageError(f"the condition {self._text} cannot be read")


def _any(left: Test, right: Test) -> Test:
    return lambda scope: left(scope) or right(scope)


def _all(left: Test, right: Test) -> Test:
    return lambda scope: left(scope) and right(scope)


def _literal(kind: str, text: str) -> str | float | bool | None:
    if kind == "string":
        return text.replace("''", "'")
    if kind == "word":
        return _WORDS[text]
    return float(text) if "." in text else int(text)


def _compare(sign: str, left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON
    """Compare as Arazzo does: strings without regard to case, types only with their own."""
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    if sign in {"==", "!="}:
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        return same is (sign == "==")
    try:
        return _ORDER[sign](left, right)
    except TypeError:
        return False
