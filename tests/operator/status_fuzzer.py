"""Random statuses that a schema admits, with values that a careless parser fails on."""

import functools
import json
import random
import re
from datetime import datetime
from typing import Any

TEXTS = (
    *("", "x", "nonsense", "True", "passed", "failed", "a b c", "<b>&", "two\nlines"),
    *("é" * 9, "\u2028"),
    *("2026-01-31", "2026-02-31T10:00:00Z", "2026-01-31T10:00:00Z", "2099-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-01-31T10:00:00.5+14:00"),
    *("2026-01-31T10 1 2 3", "2026-02-31T10 1 2 3", "2099-01-01T00 999999999 0 0"),
    *("2026-01-31 1 2 3", "2026-02-31 1 2 3", "2099-01-01 0 999999999 0", "2026-01-31T10 -1 x"),
    *("2026-01-31T10:00:00Z passed 812", "2026-02-31T10:00:00Z failed 9999999999 x y"),
    *("2099-01-31T10:00:00Z error 0 <script>", "2026-01-31T10:00:00Z disrupted 1 \u2029"),
    *("2026-01-31T10:00:00Z 999999999 <b>x", "2026-02-31T10:00:00Z 1500 x"),
    *("2099-01-31T10:00:00Z - x", "2026-01-30T10:00:00Z -", "2026-01-31T09:00:00Z 0 \x01"),
    *("2026-01-31T10:00:00Z passed x", "2026-01-31T10:00:00Z", "-99.99%", "Healthy", "Ready"),
    *("0 1 0 0 0 0 0 0 80000", "9999999999999999 " * 8 + "0", "a.b_c-d 0 1 0 0 0 0 0 0 80000"),
    *("dns 0 1 0 0 0 0 0 0 80000", "tls" + " 9999999999999999" * 9, "1 2 9"),
)
NUMBERS = (0, 1, -1, 812, 2**31 - 1, 2**31, 10**15, 2**53, 2**63 - 1, -(2**63))
KEYS = ("1h", "24h", "clients", "", "é", "x" * 300)
Schema = dict[str, Any]


def random_value(schema: Schema, rng: random.Random) -> Any:
    """Return a random value that a schema admits; text without a pattern is any text."""
    match schema["type"]:
        case "object":
            return _random_object(schema, rng)
        case "array":
            count = min(rng.randrange(4), schema.get("maxItems", 3))
            items = [random_value(schema["items"], rng) for _ in range(count)]
            keys = schema.get("x-kubernetes-list-map-keys")
            unique = {str([each[key] for key in keys]): each for each in items} if keys else {}
            return list(unique.values()) or items
        case "integer":
            low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
            return rng.choice([number for number in NUMBERS if low <= number <= high])
    return rng.choice(_admitted_texts(json.dumps(schema)))


def _random_object(schema: Schema, rng: random.Random) -> dict[str, Any]:
    if "additionalProperties" in schema:
        keys = rng.sample(KEYS, rng.randrange(len(KEYS)))
        return {key: random_value(schema["additionalProperties"], rng) for key in keys}
    required = schema.get("required", [])
    return {
        key: random_value(part, rng)
        for key, part in schema.get("properties", {}).items()
        if key in required or rng.random() < 0.7
    }


@functools.cache
def _admitted_texts(schema: str) -> list[str]:
    """Return the texts that a schema, as JSON, admits."""
    read: Schema = json.loads(schema)
    return [text for text in read.get("enum", TEXTS) if _is_admitted(read, text)]


def _is_admitted(schema: Schema, text: str) -> bool:
    return bool(
        ("format" not in schema or _is_date_time(text))
        and len(text) <= schema.get("maxLength", len(text))
        and text in schema.get("enum", [text])
        and re.search(schema.get("pattern", ""), text)
    )


def _is_date_time(text: str) -> bool:
    """Return whether the API server takes a text as a `date-time`, on a day that exists."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", text) is not None
