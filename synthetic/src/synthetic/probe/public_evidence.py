"""Evidence of a failed check for readers who may not see responses, such as those of a status.

Texts and long numbers of responses and inputs may identify a person: they are described by their
size. Values that the journey itself contains are shown, but not the queries of URLs: a presigned
one has a credential there.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from synthetic.probe.exchanges import masked_url
from synthetic.probe.masking import MASKED

MAX_DIGITS = 6  # of a number that is shown: a longer one may be that of a document or a phone
QUERY = re.compile(r"(\w://[^\s?#]*)\?[^\s#]*")
PLAIN = frozenset(("undefined", "null", "true", "false", MASKED, f'"{MASKED}"'))


def to_public(evidence: Mapping[str, str]) -> dict[str, str]:
    """Return the members of an evidence without values of responses and inputs."""
    if "schema" in evidence:
        return {
            "pointer": evidence["declared"],
            "keyword": evidence["keyword"],
            "schema": evidence["schema"],
        }
    if "condition" not in evidence:
        return {"problem": QUERY.sub(rf"\1?{MASKED}", masked_url(evidence["problem"]))}
    condition, sides = evidence["condition"], ("left", "right", "value", "selected")
    shown = {name: _described(evidence[name], condition) for name in sides if name in evidence}
    return {"condition": " ".join(condition.split()), **shown}


def _described(text: str, condition: str) -> str:
    """Return a value, which is JSON unless it is shortened, or its kind and size."""
    if text in PLAIN:
        return text
    try:
        value = json.loads(text)
    except ValueError:  # it is shortened, or masked
        value = None
    if isinstance(value, str):
        literal = value.replace("'", "''")
        return text if f"'{literal}'" in condition else f"text of {len(value)} characters"
    if isinstance(value, int | float):
        digits = sum(map(str.isdigit, text))
        return text if digits <= MAX_DIGITS else f"number of {digits} digits"
    return _sized(text, value)


def _sized(text: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    kind = {'"': "text", "[": "array", "{": "object"}.get(text[:1], "value")
    return kind if value is None else f"{kind} of {len(value)} elements"
