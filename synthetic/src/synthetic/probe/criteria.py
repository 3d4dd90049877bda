"""Criteria of Arazzo steps: simple conditions, regular expressions and JSONPath."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.condition import ConditionParser, Evaluator
from synthetic.probe.expressions import Context, Expression, as_text, parse_expression
from synthetic.probe.results import ProbeError


@dataclass(frozen=True, slots=True)
class Criterion:
    """A parsed criterion."""

    text: str
    evaluate: Evaluator
    expressions: tuple[Expression, ...]

    @property
    def only_checks_status(self) -> bool:
        """True if the criterion depends on the status alone."""
        return [e.text for e in self.expressions] == ["$statusCode"] * len(self.expressions)


def parse_criterion(document: Mapping[str, Any]) -> Criterion:
    """Parse a Criterion Object.

    Raises:
        ProbeError: the criterion is invalid, or its type is not supported.

    """
    condition, kind = str(document["condition"]).strip(), document.get("type", "simple")
    if kind == "simple":
        parser = ConditionParser(condition)
        return Criterion(condition, parser.evaluate, tuple(parser.expressions))
    if "context" not in document:
        raise ProbeError(f"the {kind} criterion {condition} needs a context")
    subject = parse_expression(document["context"])
    evaluate = _regex(condition, subject) if kind == "regex" else _jsonpath(condition, subject)
    return Criterion(f"{subject.text} {kind} {condition}", evaluate, (subject,))


def _regex(condition: str, subject: Expression) -> Evaluator:
    try:
        pattern = re.compile(condition)
    except re.error as error:
        raise ProbeError(f"{condition} is not a regular expression: {error}") from error

    def matches(context: Context) -> bool:
        value = subject.evaluate(context)
        return value is not None and pattern.search(as_text(value)) is not None

    return matches


def _jsonpath(condition: str, subject: Expression) -> Evaluator:
    from jsonpath_ng.exceptions import JSONPathError  # noqa: PLC0415 - most journeys need none
    from jsonpath_ng.ext.parser import parse as parse_path  # noqa: PLC0415

    try:
        path = parse_path(condition)
    except JSONPathError as error:
        raise ProbeError(f"{condition} is not a JSONPath: {error}") from error

    def finds(context: Context) -> bool:
        value = subject.evaluate(context)
        return value is not None and bool(path.find(value))

    return finds
