"""Parser of Arazzo's simple conditions by recursive descent."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from synthetic.probe.comparison import compare, is_true
from synthetic.probe.expressions import Expression, parse_expression
from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import UNDEFINED, Context, dereference

# a value, or a verdict: True, False, or UNDEFINED for a comparison with an undefined value
Evaluator = Callable[[Context], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>\|\||&&|==|!=|<=|>=|[<>!()])"
    r"|'(?P<string>(?:[^']|'')*)'"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<word>true|false|null)(?!\w)"
    r"|(?P<expression>\$[^\s()<>=!&|]+)"
    r"|(?P<access>(?:\.[^\s()<>=!&|.\[\]]+|\[\d+\])+))"
)
_KEYWORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
MAX_DEPTH = 50  # of parentheses and negations


class ConditionParser:
    """Parses a simple condition into ``evaluate``, and collects its expressions."""

    def __init__(self, text: str) -> None:
        """Parse ``text``.

        Raises:
            ProbeError: the condition or one of its expressions is invalid.

        """
        self._text = text
        self._tokens = self._tokenize(text.rstrip())
        self._next = self._depth = 0
        self.expressions: list[Expression] = []
        evaluate = self._or()
        if self._next < len(self._tokens):
            raise self._syntax_error()
        self.evaluate: Callable[[Context], bool] = lambda context: is_true(evaluate(context))

    def _tokenize(self, text: str) -> list[tuple[str, str, int]]:
        tokens, position = [], 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._syntax_error(position)
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        return tokens

    def _accept(self, *operators: str) -> str | None:
        kind, text, _ = self._peek()
        if kind == "operator" and text in operators:
            self._next += 1
            return text
        return None

    def _peek(self) -> tuple[str, str, int]:
        at_end = self._next >= len(self._tokens)
        return ("end", "", len(self._text)) if at_end else self._tokens[self._next]

    def _or(self) -> Evaluator:
        operands = [self._and()]
        while self._accept("||"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else _any_of(operands)

    def _and(self) -> Evaluator:
        operands = [self._comparison()]
        while self._accept("&&"):
            operands.append(self._comparison())
        return operands[0] if len(operands) == 1 else _all_of(operands)

    def _comparison(self) -> Evaluator:
        left = self._operand()
        operation = self._accept("==", "!=", "<", "<=", ">", ">=")
        if operation is None:
            return left
        right = self._operand()
        return lambda context: compare(operation, left(context), right(context))

    def _operand(self) -> Evaluator:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ProbeError("the condition is nested too deeply")
        try:
            if self._accept("!"):
                return _negated(self._operand())
            if self._accept("("):
                inner = self._or()
                if not self._accept(")"):
                    raise self._syntax_error()
                return self._with_access(inner)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Evaluator:
        kind, text, _ = self._peek()
        if kind in {"operator", "access", "end"}:
            raise self._syntax_error()
        self._next += 1
        if kind == "expression":
            expression = parse_expression(text)
            self.expressions.append(expression)
            return self._with_access(expression.evaluate)
        literal = _literal(kind, text)
        return lambda _: literal

    def _with_access(self, inner: Evaluator) -> Evaluator:
        """Apply the operators `.` and `[]` that follow an operand after a blank or parenthesis."""
        kind, path, _ = self._peek()
        if kind != "access":
            return inner
        self._next += 1
        return lambda context: dereference(inner(context), path)

    def _syntax_error(self, position: int | None = None) -> ProbeError:
        start = self._peek()[2] if position is None else position
        rest = self._text[start : start + 30].strip()
        hint = "; strings need single quotes" if rest.startswith('"') else ""
        what = f"before {rest!r}" if rest else "at its end"
        return ProbeError(f"the condition {self._text[:200]} has a syntax error {what}{hint}")


def _any_of(operands: list[Evaluator]) -> Evaluator:
    def evaluate(context: Context) -> Any:  # noqa: ANN401 - a verdict
        verdicts = [_verdict(operand(context)) for operand in operands]
        return True if True in verdicts else UNDEFINED if UNDEFINED in verdicts else False

    return evaluate


def _all_of(operands: list[Evaluator]) -> Evaluator:
    def evaluate(context: Context) -> Any:  # noqa: ANN401 - a verdict
        verdicts = [_verdict(operand(context)) for operand in operands]
        return False if False in verdicts else UNDEFINED if UNDEFINED in verdicts else True

    return evaluate


def _negated(operand: Evaluator) -> Evaluator:
    def evaluate(context: Context) -> Any:  # noqa: ANN401 - a verdict
        verdict = _verdict(operand(context))
        return verdict if verdict is UNDEFINED else not verdict

    return evaluate


def _verdict(value: Any) -> Any:  # noqa: ANN401 - a value or a verdict
    return value if value is UNDEFINED else is_true(value)


def _literal(kind: str, text: str) -> str | float | bool | None:
    if kind == "string":
        return text.replace("''", "'")
    if kind == "word":
        return _KEYWORDS[text]
    return int(text) if text.lstrip("-").isdigit() else float(text)
