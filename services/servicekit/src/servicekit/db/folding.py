"""Comparison of texts without regard to case and Unicode composition.

PostgreSQL's ``casefold`` may decompose a letter, so the result is normalized once more (Unicode
Standard, 3.13, D145). An index on the same expression makes an equality fast.
"""

from typing import Any

from sqlalchemy import ColumnElement, collate, func


def folded(text: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """Return an SQL expression that is equal for texts that differ in case or composition only."""
    return func.normalize(func.casefold(collate(func.normalize(text), "pg_unicode_fast")))
