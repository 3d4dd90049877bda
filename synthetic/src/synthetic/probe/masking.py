"""Secrets of this process, and their removal from everything that it prints.

All output passes through ``MASK``: results in every format, exchanges, errors and tracebacks.
"""

import base64
import html
import json
import re
import sys
import traceback
from urllib.parse import quote, quote_plus

MASKED = "***"
MIN_LENGTH = 3  # a shorter value would mask ordinary text
MAX_BACKSLASHES = 16  # before one character
MIN_BASE64 = 6  # characters of base64 within a longer text
MAX_SECRETS = 1000  # the oldest one is forgotten first: each token of a long process is one
_NAMES = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|authorization|api[-_]?key|credential|cookie|session"
    r"|assertion|private|signature",
    re.IGNORECASE,
)
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_URL_SAFE = str.maketrans("+/", "-_")


class SecretMask:
    """A collection of secrets that are replaced in texts."""

    def __init__(self) -> None:
        """Start without secrets."""
        self._patterns: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, *secrets: str) -> None:
        """Add secrets, in plain text and in the encodings of URLs, JSON, XML and base64."""
        for secret in secrets:
            if len(secret) < MIN_LENGTH or secret in self._patterns:
                continue
            if len(self._patterns) >= MAX_SECRETS:
                del self._patterns[next(iter(self._patterns))]
            self._patterns[secret] = _pattern(secret)
            self._pattern = None

    def mask(self, text: str) -> str:
        """Return a text without secrets."""
        if not self._patterns:
            return text
        if self._pattern is None:
            longest_first = sorted(self._patterns, key=len, reverse=True)
            pattern = "|".join(self._patterns[secret] for secret in longest_first)
            self._pattern = re.compile(pattern, re.IGNORECASE)
        return self._pattern.sub(MASKED, text)

    def mask_json(self, text: str) -> str:
        """Return a JSON text without secrets in its strings; its numbers and its syntax stay."""
        return _JSON_STRING.sub(self._mask_string, text) if self._patterns else text

    def _mask_string(self, found: re.Match[str]) -> str:
        plain = json.loads(found[0])
        masked = self.mask(plain)
        return found[0] if masked == plain else json.dumps(masked)


MASK = SecretMask()


def print_traceback() -> None:
    """Print the current exception without secrets."""
    sys.stderr.write(MASK.mask(traceback.format_exc()))


def is_secret_name(name: str) -> bool:
    """Return whether the value of a header, a field or a member is secret by its name."""
    return _NAMES.search(name) is not None


def _pattern(secret: str) -> str:
    """Return a regular expression for a secret in any mixture of encodings, and in base64."""
    pieces = (c if c.isascii() and c.isalnum() else _encodings(c) for c in secret)
    return "|".join(["".join(pieces), *_base64_forms(secret)])


def _encodings(character: str) -> str:
    """Return a regular expression for a character: plain, and as URLs, JSON and XML encode it."""
    percent, escaped = quote(character, safe=""), json.dumps(character)[1:-1]
    forms = {
        *(character, percent, quote_plus(character), quote(percent)),
        *(html.escape(character), f"&#{ord(character)};", f"&#x{ord(character):x};"),
        ascii(character)[1:-1],
        character.encode().decode("latin-1"),  # a header's value
    }
    longest_first = sorted(forms, key=len, reverse=True)
    patterns = [re.escape(form) for form in longest_first]
    if escaped != character:
        # each level of JSON within JSON has more backslashes
        patterns.insert(0, rf"\\{{1,{MAX_BACKSLASHES}}}{re.escape(escaped[1:])}")
    if character == "\\":
        patterns.insert(0, rf"\\{{1,{MAX_BACKSLASHES}}}")
    return f"(?:{'|'.join(patterns)})"


def _base64_forms(secret: str) -> list[str]:
    """Return base64 of a secret, alone and in a longer text, where three alignments differ."""
    data = secret.encode()
    forms = [base64.b64encode(data).decode().rstrip("=")]
    for before, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(before) + data).decode()
        forms.append(encoded[first : (before + len(data)) * 8 // 6])
    forms = [forms[0], *(form for form in forms[1:] if len(form) >= MIN_BASE64)]
    forms += [form.translate(_URL_SAFE) for form in forms]
    return [re.escape(form) for form in dict.fromkeys(forms)]
