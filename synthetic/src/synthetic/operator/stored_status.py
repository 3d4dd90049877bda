"""Read the stored status of a monitor, which any client with access to it can have written.

Values that the schema does not admit, and times in the future, count as missing.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from synthetic.operator.resources import Object
from synthetic.operator.status_schema import MAX_CLOCK_SKEW, STATUS, Schema, is_moment

MISSING = object()
TYPES: dict[str, type] = {"string": str, "integer": int, "array": list, "object": dict}


def read_status(monitor: Object, now: datetime) -> tuple[Object, list[str]]:
    """Return the readable part of a monitor's status, and the paths of all else."""
    reader = _Reader(now + MAX_CLOCK_SKEW)
    status = reader.read(STATUS, monitor.get("status") or {}, "status")
    return (status if isinstance(status, dict) else {}), reader.unreadable


class _Reader:
    """Reads values by their schemas."""

    def __init__(self, latest: datetime) -> None:
        self._latest = f"{latest:%Y-%m-%dT%H:%M:%SZ}"
        self.unreadable: list[str] = []

    def read(self, schema: Schema, value: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a value without its unreadable parts, or ``MISSING``."""
        is_bool = isinstance(value, bool)  # in Python an integer
        if is_bool or not isinstance(value, TYPES[schema["type"]]):
            return self._reject(path)
        if isinstance(value, dict):
            return self._read_object(schema, value, path)
        if isinstance(value, list):
            parts = enumerate(value[-schema["maxItems"] :])
            read = [self.read(schema["items"], part, f"{path}[{at}]") for at, part in parts]
            return [part for part in read if part is not MISSING]
        is_valid = self._is_number(schema, value) if isinstance(value, int) else True
        if isinstance(value, str):
            is_valid = self._is_text(schema, value)
        return value if is_valid else self._reject(path)

    def _read_object(self, schema: Schema, value: Object, path: str) -> Any:  # noqa: ANN401 - as above
        found = {
            key: self.read(part, value[key], f"{path}.{key}")
            for key, part in _members(schema, value)
        }
        kept = {key: part for key, part in found.items() if part is not MISSING}
        if any(name not in kept for name in schema.get("required", [])):
            return self._reject(path)
        return kept

    def _is_text(self, schema: Schema, value: str) -> bool:
        if len(value) > schema.get("maxLength", 1024) or value not in schema.get("enum", [value]):
            return False
        if "pattern" not in schema:
            return "format" not in schema or is_moment(value)
        if not re.fullmatch(schema["pattern"], value):
            return False
        is_time = schema["pattern"].startswith("^20")  # uids of Jobs may begin so too
        return not is_time or self._is_past(value.partition(" ")[0])

    def _is_past(self, moment: str) -> bool:
        """Return whether a date, an hour or a time exists and is not in the future."""
        try:
            datetime.fromisoformat(moment)
        except ValueError:
            return False
        return moment <= self._latest[: len(moment)]

    @staticmethod
    def _is_number(schema: Schema, value: int) -> bool:
        return bool(schema["minimum"] <= value <= schema["maximum"])

    def _reject(self, path: str) -> object:
        self.unreadable.append(path)
        return MISSING


def _members(schema: Schema, value: Object) -> Iterator[tuple[str, Schema]]:
    """Yield the members that the schema describes; the API server prunes all others."""
    if "additionalProperties" in schema:
        for key in sorted(value)[: schema["maxProperties"]]:
            yield key, schema["additionalProperties"]
    for key, part in schema.get("properties", {}).items():
        if key in value:
            yield key, part
