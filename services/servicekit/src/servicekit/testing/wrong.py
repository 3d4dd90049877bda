"""Values that a schema of a contract does not allow: of another type, or beyond what it limits.

They follow from the schema (OpenAPI 3.0) alone, so that a new limit is exceeded without a line
here. No validator is asked, which might be the very one that a service asks.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_ODD = ("!", "a b", "\x07")  # what a pattern is for: at least one of them is refused
_TEXTS = {"integer": ("ten", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"), "boolean": ("yes", "1")}


def wrong_values(schema: Schema) -> Iterator[Any]:
    """Yield JSON values that are wrong for a member of a body."""
    kinds = schema.get("anyOf", [schema])
    types = {kind["type"] for kind in kinds}
    yield from ([], None)
    if "boolean" not in types:
        yield True
    if "string" not in types:
        yield from ("", "1")
    if "integer" in types:
        yield 1.5
    for kind in kinds:
        yield from _wrong_strings(kind) if kind["type"] == "string" else _beyond(kind)


def wrong_texts(schema: Schema) -> Iterator[str]:
    """Yield texts that are wrong for a parameter, or for a field of a form."""
    if schema["type"] == "string":
        yield from _wrong_strings(schema)
    else:
        yield from _TEXTS[schema["type"]]
        yield from map(str, _beyond(schema))


def as_text(value: Any) -> str:
    """Return a value as a parameter carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def _beyond(schema: Schema) -> Iterator[float]:
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "multipleOf" in schema:
        yield schema["multipleOf"] / 2


def _wrong_strings(schema: Schema) -> Iterator[str]:
    if not _fits("", schema):
        yield ""
    yield from itertools.islice((text for text in _ODD if not _fits(text, schema)), 1)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)


def _fits(text: str, schema: Schema) -> bool:
    return (
        len(text) >= schema.get("minLength", 0)
        and re.search(schema.get("pattern", ""), text) is not None
        and text in schema.get("enum", [text])
    )
