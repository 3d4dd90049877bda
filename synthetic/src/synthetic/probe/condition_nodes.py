"""Syntax tree of Arazzo's simple conditions: evaluation, and evidence of a failure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from synthetic.probe.comparison import compare, is_true
from synthetic.probe.evidence import Evidence, shown
from synthetic.probe.runtime_values import UNDEFINED, Context


class Node(Protocol):
    """A part of a condition: a value, or a verdict."""

    @property
    def text(self) -> str:
        """The part as a condition writes it."""

    @property
    def evaluate(self) -> Callable[[Context], Any]:
        """Return the value, or the verdict.

        A verdict is True, False, or ``UNDEFINED`` for a comparison with an undefined value.
        """

    def evidence(self, context: Context, *, wanted: bool) -> Iterator[Evidence]:
        """Yield the comparisons because of which the verdict is not the one that is wanted."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A literal, or an expression."""

    text: str
    evaluate: Callable[[Context], Any]
    source: str = ""  # the expression

    def evidence(self, context: Context, *, wanted: bool) -> Iterator[Evidence]:
        """Yield the value, if its truth is not the one that is wanted."""
        if _verdict(self, context) is not wanted:
            yield {"condition": self.text, "value": self.shown(context)}

    def shown(self, context: Context) -> str:
        """Return the value as outputs show it."""
        return shown(self.evaluate(context), self.source)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and an operator such as `==`."""

    left: Node
    operation: str
    right: Node

    @property
    def text(self) -> str:
        """The comparison."""
        return f"{self.left.text} {self.operation} {self.right.text}"

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - a verdict
        """Return whether the comparison is true."""
        return compare(self.operation, self.left.evaluate(context), self.right.evaluate(context))

    def evidence(self, context: Context, *, wanted: bool) -> Iterator[Evidence]:
        """Yield both sides, if the comparison has not the verdict that is wanted."""
        if self.evaluate(context) is not wanted:
            left, right = (
                side.shown(context) if isinstance(side, Operand) else shown(side.evaluate(context))
                for side in (self.left, self.right)
            )
            yield {"condition": self.text, "left": left, "right": right}


@dataclass(frozen=True, slots=True)
class Junction:
    """Operands that `&&` or `||` joins; one of them decides, however undefined others are."""

    operator: str
    operands: Sequence[Node]

    @property
    def text(self) -> str:
        """The operands in parentheses."""
        return f"({f' {self.operator} '.join(operand.text for operand in self.operands)})"

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - a verdict
        """Return the verdict of three-valued logic."""
        decisive = self.operator == "||"
        verdicts = [_verdict(operand, context) for operand in self.operands]
        if decisive in verdicts:
            return decisive
        return UNDEFINED if UNDEFINED in verdicts else not decisive

    def evidence(self, context: Context, *, wanted: bool) -> Iterator[Evidence]:
        """Yield the evidence of the operands."""
        if self.evaluate(context) is not wanted:
            for operand in self.operands:
                yield from operand.evidence(context, wanted=wanted)


@dataclass(frozen=True, slots=True)
class Negation:
    """An operand that has to be false."""

    operand: Node

    @property
    def text(self) -> str:
        """The operand after `!`."""
        text = self.operand.text
        return f"!({text})" if isinstance(self.operand, Comparison) else f"!{text}"

    def evaluate(self, context: Context) -> Any:  # noqa: ANN401 - a verdict
        """Return the opposite verdict; that of an undefined value is undefined."""
        verdict = _verdict(self.operand, context)
        return verdict if verdict is UNDEFINED else not verdict

    def evidence(self, context: Context, *, wanted: bool) -> Iterator[Evidence]:
        """Yield why the operand has not the opposite verdict."""
        return self.operand.evidence(context, wanted=not wanted)


def _verdict(node: Node, context: Context) -> Any:  # noqa: ANN401 - a verdict
    value = node.evaluate(context)
    return value if value is UNDEFINED else is_true(value)
