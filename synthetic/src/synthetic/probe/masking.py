"""Secrets of this process, and their removal from everything that it prints.

All output passes through ``MASK``: results in every format, exchanges, errors and tracebacks.
"""

import base64
import json
import re
import sys
import traceback
from urllib.parse import quote, quote_plus

MASKED = "***"
MIN_LENGTH = 3  # a shorter value would mask ordinary text
MAX_SECRETS = 1000  # the oldest one is forgotten first: each token of a long process is one
_NAMES = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|authorization|api[-_]?key|credential|cookie|session"
    r"|assertion|private|signature",
    re.IGNORECASE,
)


class SecretMask:
    """A collection of secrets that are replaced in texts."""

    def __init__(self) -> None:
        """Start without secrets."""
        self._forms: dict[str, list[str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, *secrets: str) -> None:
        """Add secrets, in plain text and in the encodings of URLs, JSON and Basic."""
        for secret in secrets:
            if len(secret) < MIN_LENGTH or secret in self._forms:
                continue
            if len(self._forms) >= MAX_SECRETS:
                del self._forms[next(iter(self._forms))]
            self._forms[secret] = _forms(secret)
            self._pattern = None

    def mask(self, text: str) -> str:
        """Return a text without secrets."""
        if not self._forms:
            return text
        if self._pattern is None:
            forms = {form for each in self._forms.values() for form in each}
            longest_first = sorted(forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(MASKED, text)


MASK = SecretMask()


def print_traceback() -> None:
    """Print the current exception without secrets."""
    sys.stderr.write(MASK.mask(traceback.format_exc()))


def is_secret_name(name: str) -> bool:
    """Return whether the value of a header, a field or a member is secret by its name."""
    return _NAMES.search(name) is not None


def _forms(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    forms = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], encoded]
    return list(dict.fromkeys(forms))
