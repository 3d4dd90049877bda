"""Values that a failed check has seen, as outputs show them: without secrets, and bounded."""

import json
import re
from collections.abc import Mapping
from typing import Any

from synthetic.probe.exchanges import mask_members, masked_url
from synthetic.probe.masking import MASK, MASKED, is_secret_name
from synthetic.probe.runtime_values import UNDEFINED

MAX_VALUE = 200  # characters of one value
_LAST_NAME = re.compile(r"[^.#/\[\]]*\Z")

Evidence = Mapping[str, str]  # such as a comparison with its left and its right side


def shown(value: Any, source: str = "") -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON; ``source`` is the expression that it comes from, if any."""
    if value is UNDEFINED:
        return "undefined"
    if is_secret_source(source) and isinstance(value, str | int | float):
        return MASKED
    if isinstance(value, str):
        value = masked_url(value)
    return shortened(_as_json(mask_members(value)))


def is_secret_source(source: str) -> bool:
    """Return whether the last name of an expression marks its value as a secret."""
    name = _LAST_NAME.search(source)
    return name is not None and is_secret_name(name[0])


def shortened(text: str) -> str:
    """Return a text without secrets, with at most ``MAX_VALUE`` characters of it."""
    text = MASK.mask(text)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."


def _as_json(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON; characters that a terminal interprets are escaped."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if text.isprintable() else json.dumps(value, default=str)
