"""E-mail addresses: the cache of domains does not change the validation."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import email_validator
import pytest

from clients.domain import allow_test_domains, parse_email
from servicekit.problems import BadRequest

LETTERS = "abzABZ019.-_+%!'\"\\<>()[]: @\u00e9\u0301\u00df\u5b57\u212a\u2024\u0338\n\t\0"
PLAIN = "abcdexyz019-_+AZ"
DOMAINS = [
    "example.com",
    "EXAMPLE.com",
    "example.com.",
    "exa_mple.com",
    "-example.com",
    "example..com",
    "example",
    "localhost",
    "monitor.test",
    "nobody.invalid",
    "example.c0m",
    "127.0.0.1",
    "xn--bcher-kva.example.com",
    "xn--a.com",
    "xn--80ak6aa92e.com",
    f"{'a' * 63}.com",
    f"{'a' * 64}.com",
    f"{'a.' * 120}com",
    f"{'a.' * 124}com",
    "[127.0.0.1]",
    "",
]

SPECIAL = [
    "Postmaster@example.com",
    "INFO@Example.COM",
    "a@example.com\n",
    "a@example.com@example.com",
    "a b@example.com",
    '"a b"@example.com',
    "Arthur <a@example.com>",
]
TEXTS = 3_000


@pytest.fixture(autouse=True)
def _test_domains() -> None:
    """Accept the test domains, as the service does."""
    allow_test_domains()


def texts() -> Iterator[str]:
    """Yield valid and invalid addresses, the same in each run."""
    yield from SPECIAL
    chance = random.Random(20_261_128)  # noqa: S311 - no secret
    for _ in range(TEXTS // 4):
        domain = chance.choice(DOMAINS)
        yield f"{_text(chance, LETTERS, 12)}@{domain}"
        yield f"{_words(chance, 10)}@{domain}"
        yield f"{_words(chance, 100)}@{domain}"
        yield f"{_words(chance, 10)}@{_words(chance, 10)}.com"


def _words(chance: random.Random, longest: int) -> str:
    return ".".join(_text(chance, PLAIN, longest) for _ in range(chance.randint(1, 3)))


def _text(chance: random.Random, letters: str, longest: int) -> str:
    return "".join(chance.choices(letters, k=chance.randint(0, longest)))


def said_by(library_or_ours: Any, text: str) -> str | None:
    """Return the normal form, or None for an invalid text."""
    try:
        return str(library_or_ours(text))
    except (BadRequest, email_validator.EmailNotValidError):
        return None


def library(text: str) -> str:
    """Return the normal form according to the library."""
    return email_validator.validate_email(text, check_deliverability=False).normalized


def test_every_text_is_validated_like_in_the_library() -> None:
    expected = {text: said_by(library, text) for text in texts()}
    assert {text: said_by(parse_email, text) for text in expected} == expected
    again = reversed(list(expected))  # with cached domains
    assert {text: said_by(parse_email, text) for text in again} == expected
    assert min(Counter(map(bool, expected.values())).values()) > TEXTS / 10  # both kinds occur


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("arthur@EXAMPLE.com", "arthur@example.com"),
        ("Arthur@example.com", "Arthur@example.com"),
        ("Postmaster@example.com", "postmaster@example.com"),
        ("arthur@xn--bcher-kva.example.com", "arthur@b\u00fccher.example.com"),
    ],
)
def test_an_email_is_stored_in_its_normal_form(text: str, stored: str) -> None:
    assert parse_email(text) == stored
