"""Formats of OpenAPI 3.0 that JSON Schema Draft 4 lacks."""

import re
from collections.abc import Callable
from datetime import date


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None


def _is_base64(text: str) -> bool:
    return len(text) % 4 == 0 and re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text) is not None


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "byte": _is_base64,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
