"""Criteria of steps and actions: simple conditions, regular expressions, JSONPath and XPath."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synthetic.probe.condition import ConditionParser
from synthetic.probe.expressions import Expression, parse_expression
from synthetic.probe.queries import parse_query
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.runtime_values import UNDEFINED, Context, as_text
from synthetic.probe.templates import EmbeddingText, parse_text

Matcher = Callable[[Any], bool]
# only these of a query's results fail by themselves (effective boolean value of XPath)
_FALSE_RESULTS = (False, 0, "")


@dataclass(frozen=True, slots=True)
class Criterion:
    """A parsed criterion."""

    text: str
    evaluate: Callable[[Context], bool]
    expressions: tuple[Expression, ...]

    @property
    def only_checks_status(self) -> bool:
        """True if the criterion depends on the status alone."""
        return [e.text for e in self.expressions] == ["$statusCode"] * len(self.expressions)


def parse_criterion(
    condition: str, kind: str = "simple", context: str = "", version: str = ""
) -> Criterion:
    """Parse a criterion of a type: simple, regex, jsonpath or xpath.

    Raises:
        ProbeError: the condition or the context is invalid.

    """
    if kind == "simple":
        parser = ConditionParser(condition.strip())
        return Criterion(condition.strip(), parser.evaluate, tuple(parser.expressions))
    if not context:
        raise ProbeError(f"the {kind} criterion {condition[:100]} needs a context")
    subject = parse_expression(context)
    text = parse_text(condition.strip())
    embedded = text.expressions if isinstance(text, EmbeddingText) else ()
    matches = _delayed(kind, version, text) if embedded else _matcher(kind, version, str(text))

    def evaluate(context: Context) -> bool:
        value = subject.evaluate(context)
        if value is UNDEFINED or value is None:
            return False
        return matches(value, context)

    return Criterion(f"{context} {kind} {condition.strip()}", evaluate, (subject, *embedded))


def _matcher(kind: str, version: str, text: str) -> Callable[[Any, Context], bool]:
    matches = _regex(text) if kind == "regex" else _query(kind, version, text)
    return lambda value, _: matches(value)


def _delayed(kind: str, version: str, text: Any) -> Callable[[Any, Context], bool]:  # noqa: ANN401
    """Return a matcher that replaces embedded expressions before it parses the condition."""

    def matches(value: Any, context: Context) -> bool:  # noqa: ANN401 - any JSON
        try:
            return _matcher(kind, version, text.evaluate(context))(value, context)
        except (ProbeError, StepError):
            return False  # a condition that cannot be evaluated fails (Arazzo 1.1.0)

    return matches


def _regex(condition: str) -> Matcher:
    try:
        pattern = re.compile(condition)
    except (re.error, RecursionError, OverflowError) as error:
        raise ProbeError(f"{condition[:100]} is not a regular expression: {error}") from error
    return lambda value: pattern.search(as_text(value)) is not None


def _query(kind: str, version: str, condition: str) -> Matcher:
    query = parse_query(kind, version, condition)

    def selects(value: Any) -> bool:  # noqa: ANN401 - any JSON
        try:
            found = query(value)
        except ValueError:
            return False  # such as XPath over a body that is no XML
        if kind == "xpath" and len(found) == 1 and not hasattr(found[0], "itertext"):
            return found[0] not in _FALSE_RESULTS
        return bool(found)

    return selects
