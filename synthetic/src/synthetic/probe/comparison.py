"""Comparison and truth of values in Arazzo's conditions."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from synthetic.probe.runtime_values import UNDEFINED

_NUMBER = re.compile(r"[-+]?\d{1,300}(?:\.\d{1,300})?(?:[eE][-+]?\d{1,3})?\Z", re.ASCII)
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(operation: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return whether a comparison is true, or ``UNDEFINED`` if one of its sides is.

    Strings are compared in lower case, numeric strings as numbers with numbers and by order.
    Null equals null alone, and has no order.
    """
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    if operation in {"==", "!="}:
        return equals(left, right) is (operation == "==")
    pair = (_number(left), _number(right))
    if None not in pair:
        left, right = pair
    elif isinstance(left, str) and isinstance(right, str):
        left, right = left.lower(), right.lower()
    else:
        return False
    return _ORDERINGS[operation](left, right)


def equals(left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether two values are equal; values of different types are not.

    Case folding would also equate other letters, such as ``ß`` and ``ss``.
    """
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equals, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equals(left[k], right[k]) for k in left)
    if isinstance(left, int | float) or isinstance(right, int | float):
        number = _number(left)
        return number is not None and number == _number(right)
    return left is right


def is_true(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a value passes as a condition: not so undefined, null, false, 0 and empty."""
    return value is not UNDEFINED and bool(value)


def _number(value: Any) -> float | None:  # noqa: ANN401 - any JSON
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or not _NUMBER.match(value):
        return None
    return int(value) if value.lstrip("+-").isdigit() else float(value)
