"""Values that violate a schema: values of another type, and values beyond its limits.

They are derived from the schema (OpenAPI 3.0) alone, so a new limit needs no code here. No
validator is used, since the services may use the same one.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_UNUSUAL_TEXTS = ("!", "a b", "\x07")  # a useful pattern rejects at least one of them
# no-break space, zero width space, ideographic space, next line, soft hyphen, Hangul filler
_INVISIBLE_TEXTS = ("\u00a0", "\u200b", "\u3000 ", "\u0085", "\u00ad\u2060", "\u3164")
_INVALID_TEXTS = {"integer": ("ten", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"), "boolean": ("yes", "1")}


def invalid_values(schema: Schema) -> Iterator[Any]:
    """Yield JSON values that are invalid for a member of a body."""
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
        yield from _invalid_strings(kind) if kind["type"] == "string" else _out_of_bounds(kind)


def invalid_texts(schema: Schema) -> Iterator[str]:
    """Yield texts that are invalid for a parameter or a form field."""
    if schema["type"] == "string":
        yield from _invalid_strings(schema)
    else:
        yield from _INVALID_TEXTS[schema["type"]]
        yield from map(str, _out_of_bounds(schema))


def as_text(value: Any) -> str:
    """Return the text form of a value in a parameter."""
    return value if isinstance(value, str) else json.dumps(value)


def _out_of_bounds(schema: Schema) -> Iterator[float]:
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "multipleOf" in schema:
        yield schema["multipleOf"] / 2


def _invalid_strings(schema: Schema) -> Iterator[str]:
    if not _matches("", schema):
        yield ""
    yield from itertools.islice((text for text in _UNUSUAL_TEXTS if not _matches(text, schema)), 1)
    if schema.get("format") == "visible-text":
        yield from _INVISIBLE_TEXTS
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)


def _matches(text: str, schema: Schema) -> bool:
    return (
        len(text) >= schema.get("minLength", 0)
        and re.search(schema.get("pattern", ""), text) is not None
        and text in schema.get("enum", [text])
    )
