"""Criteria of steps and actions: simple conditions, regular expressions, JSONPath and XPath."""

from functools import lru_cache
from typing import Any, Protocol

from synthetic.probe.comparison import is_true
from synthetic.probe.condition import ConditionParser
from synthetic.probe.evidence import Evidence, is_secret_source, shortened, shown
from synthetic.probe.expressions import Expression, parse_expression
from synthetic.probe.masking import MASKED
from synthetic.probe.queries import Query, parse_query, text_of
from synthetic.probe.regular_expressions import compile_pattern
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.runtime_values import UNDEFINED, Context, as_text
from synthetic.probe.templates import EmbeddingText, parse_text

MAX_TEXT = 500  # characters of a criterion in a message
MAX_COMPARISONS = 5  # in a message


class Criterion(Protocol):
    """A parsed criterion."""

    text: str
    expressions: tuple[Expression, ...]

    def evaluate(self, context: Context) -> bool:
        """Return whether the criterion is met."""

    def evidence(self, context: Context) -> list[Evidence]:
        """Return what an unmet criterion has compared: both sides of each comparison."""


class SimpleCriterion:
    """A criterion of the type simple."""

    def __init__(self, condition: str) -> None:
        """Parse a condition.

        Raises:
            ProbeError: it is invalid.

        """
        self.text = condition.strip()
        parser = ConditionParser(self.text)
        self.expressions = tuple(parser.expressions)
        self._root = parser.root

    def evaluate(self, context: Context) -> bool:
        """Return whether the condition is true."""
        return is_true(self._root.evaluate(context))

    def evidence(self, context: Context) -> list[Evidence]:
        """Return both sides of each comparison that fails."""
        return list(self._root.evidence(context, wanted=True))


class QueryCriterion:
    """A criterion of the type regex, jsonpath or xpath, over the value of its context."""

    def __init__(self, condition: str, kind: str, context: str, version: str) -> None:
        """Parse a condition.

        Raises:
            ProbeError: it or the context is invalid.

        """
        condition = condition.strip()
        self.text = f"{context} {kind} {condition}"
        self._kind, self._version = kind, version
        self._subject = parse_expression(context)
        self._condition = parse_text(condition)
        embedded: tuple[Expression, ...] = ()
        if isinstance(self._condition, EmbeddingText):
            embedded = self._condition.expressions
        else:
            self._query(self._condition)  # a mistake is found before the run
        self.expressions = (self._subject, *embedded)

    def evaluate(self, context: Context) -> bool:
        """Return whether the condition matches; one that cannot be evaluated fails."""
        try:
            if self._kind == "xpath":  # its effective boolean value
                return self._select(context, "boolean({})") == [True]
            return bool(self._select(context))
        except (ProbeError, StepError, ValueError):
            return False  # such as XPath over a body that is no XML (Arazzo 1.1.0)

    def evidence(self, context: Context) -> list[Evidence]:
        """Return the value of the context, the evaluated condition, and what it has selected."""
        value = self._subject.evaluate(context)
        evidence = {
            "condition": self.text,
            "value": shown(value, self._subject.text),
            "pattern" if self._kind == "regex" else "query": self._shown_condition(context),
        }
        try:
            found = self._select(context)
        except (ProbeError, StepError, ValueError) as error:
            return [{**evidence, "problem": shortened(str(error))}]
        selected = shown([text_of(each) for each in found])
        return [evidence if self._kind == "regex" else {**evidence, "selected": selected}]

    def _shown_condition(self, context: Context) -> str:
        if isinstance(self._condition, str):
            return shortened(self._condition)
        if any(is_secret_source(expression.text) for expression in self._condition.expressions):
            return MASKED
        try:
            return shortened(self._condition.evaluate(context))
        except StepError:
            return "undefined"

    def _select(self, context: Context, form: str = "{}") -> list[Any]:
        """Return what the condition selects; a regex selects the whole context, or nothing."""
        value = self._subject.evaluate(context)
        if value is UNDEFINED or value is None:
            return []
        condition = self._condition
        text = condition if isinstance(condition, str) else condition.evaluate(context)
        return self._query(form.format(text))(value)

    def _query(self, text: str) -> Query:
        if self._kind == "regex":
            return _regex(text)
        return parse_query(self._kind, self._version, text)


def only_checks_status(criterion: Criterion) -> bool:
    """Return whether a criterion depends on the status alone."""
    return {expression.text for expression in criterion.expressions} == {"$statusCode"}


def parse_criterion(
    condition: str, kind: str = "simple", context: str = "", version: str = ""
) -> Criterion:
    """Parse a criterion of a type: simple, regex, jsonpath or xpath.

    Raises:
        ProbeError: the condition or the context is invalid.

    """
    if kind == "simple":
        return SimpleCriterion(condition)
    if not context:
        raise ProbeError(f"the {kind} criterion {condition[:100]} needs a context")
    return QueryCriterion(condition, kind, context, version)


def failure_text(criterion: Criterion, evidence: list[Evidence]) -> str:
    """Return a criterion with the evidence of its failure in one line."""
    text = criterion.text[:MAX_TEXT]
    found = [_described(each, criterion.text) for each in evidence[:MAX_COMPARISONS]]
    return f"{text} ({'; '.join(found)})" if found else text


def _described(evidence: Evidence, text: str) -> str:
    values = ", ".join(f"{name} {value}" for name, value in evidence.items() if name != "condition")
    return values if evidence["condition"] == text else f"{evidence['condition']}: {values}"


@lru_cache(maxsize=256)
def _regex(condition: str) -> Query:
    matches = compile_pattern(condition)
    return lambda value: [text] if matches(text := as_text(value)) else []
