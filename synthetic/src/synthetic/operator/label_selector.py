"""Label selectors as Kubernetes defines them."""

from collections.abc import Mapping

from synthetic.operator.resources import Object


def matches_labels(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Return whether labels match a selector; a missing or empty one matches all."""
    wanted = selector or {}
    expressions = wanted.get("matchExpressions") or []
    return all(
        labels.get(key) == value for key, value in (wanted.get("matchLabels") or {}).items()
    ) and all(_matches(expression, labels) for expression in expressions)


def _matches(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False  # an operator of a later version selects nothing
