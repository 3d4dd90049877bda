"""Parser of Arazzo's simple conditions by recursive descent."""

import re
from collections.abc import Mapping

from synthetic.probe.condition_nodes import Comparison, Junction, Negation, Node, Operand
from synthetic.probe.expressions import Expression, parse_expression
from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import dereference

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>\|\||&&|==|!=|<=|>=|[<>!()])"
    r"|'(?P<string>(?:[^']|'')*)'"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<word>true|false|null)(?!\w)"
    r"|(?P<expression>\$[^\s()<>=!&|]+)"
    r"|(?P<access>(?:\.[^\s()<>=!&|.\[\]]+|\[\d+\])+))"
)
_KEYWORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
_HINTS = {
    '"': "strings need single quotes",
    "=": "equality is ==",
    "&": "a conjunction is &&",
    "|": "a disjunction is ||",
    ")": "there is no opening parenthesis",
    "'": "the closing quote is missing",
}
MAX_DEPTH = 50  # of parentheses and negations


class ConditionParser:
    """Parses a simple condition into ``root``, and collects its expressions."""

    def __init__(self, text: str) -> None:
        """Parse ``text``.

        Raises:
            ProbeError: the condition or one of its expressions is invalid.

        """
        self._text = text
        self._tokens = self._tokenize(text.rstrip())
        self._next = self._depth = 0
        self.expressions: list[Expression] = []
        self.root = self._or()
        if self._next < len(self._tokens):
            raise self._syntax_error()

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

    def _or(self) -> Node:
        operands = [self._and()]
        while self._accept("||"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Junction("||", operands)

    def _and(self) -> Node:
        operands = [self._comparison()]
        while self._accept("&&"):
            operands.append(self._comparison())
        return operands[0] if len(operands) == 1 else Junction("&&", operands)

    def _comparison(self) -> Node:
        left = self._operand()
        operation = self._accept("==", "!=", "<", "<=", ">", ">=")
        return left if operation is None else Comparison(left, operation, self._operand())

    def _operand(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ProbeError("the condition is nested too deeply")
        try:
            if self._accept("!"):
                return Negation(self._operand())
            if self._accept("("):
                inner = self._or()
                if not self._accept(")"):
                    raise self._syntax_error()
                return self._with_access(inner)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Node:
        kind, text, _ = self._peek()
        if kind in {"operator", "access", "end"}:
            raise self._syntax_error()
        self._next += 1
        if kind == "expression":
            expression = parse_expression(text)
            self.expressions.append(expression)
            return self._with_access(Operand(text, expression.evaluate, text))
        value = _literal(kind, text)
        return Operand(f"'{text}'" if kind == "string" else text, lambda _: value)

    def _with_access(self, inner: Node) -> Node:
        """Apply the operators `.` and `[]` that follow an operand after a blank or parenthesis."""
        kind, path, _ = self._peek()
        if kind != "access":
            return inner
        self._next += 1
        text = f"{inner.text}{path}"
        return Operand(text, lambda context: dereference(inner.evaluate(context), path), text)

    def _syntax_error(self, position: int | None = None) -> ProbeError:
        start = self._peek()[2] if position is None else position
        rest = self._text[start : start + 30].strip()
        hint = _HINTS.get(rest[:1], "")
        if not rest and self._depth:
            hint = "a closing parenthesis is missing" if "(" in self._text else ""
        elif rest[:1].isalpha():
            hint = "strings need single quotes"
        what = f"before {rest!r}" if rest else "at its end"
        message = f"the condition {self._text[:200]} has a syntax error {what}"
        return ProbeError(f"{message}; {hint}" if hint else message)


def _literal(kind: str, text: str) -> str | float | bool | None:
    if kind == "string":
        return text.replace("''", "'")
    if kind == "word":
        return _KEYWORDS[text]
    return int(text) if text.lstrip("-").isdigit() else float(text)
