"""E-mail addresses: what is remembered of their domains changes no verdict."""

from typing import Any

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clients.domain import parse_email
from servicekit.errors import BadRequest

LETTERS = "abzABZ019.-_+%!'\"\\<>()[]: @\u00e9\u0301\u00df\u5b57\u212a\u2024\u0338\n\t\0"
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

anything = st.text(st.sampled_from(LETTERS), max_size=40)
near_a_domain = st.builds("{}@{}".format, anything, st.sampled_from(DOMAINS))
long = st.builds(
    lambda name, domain: f"{'a' * name}@{domain}", st.integers(0, 260), st.sampled_from(DOMAINS)
)


def said_by(library_or_ours: Any, text: str) -> str | None:
    """Return the normal form, or nothing for a text that is refused."""
    try:
        return str(library_or_ours(text))
    except (BadRequest, email_validator.EmailNotValidError):
        return None


def library(text: str) -> str:
    """Return what the library makes of an address."""
    return email_validator.validate_email(text, check_deliverability=False).normalized


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.one_of(anything, near_a_domain, long, st.emails()))
@example("Postmaster@example.com")
@example("INFO@Example.COM")
@example("a@example.com\n")
@example("a@example.com@example.com")
@example("a b@example.com")
def test_every_text_is_judged_as_the_library_judges_it(text: str) -> None:
    expected = said_by(library, text)
    assert said_by(parse_email, text) == expected
    assert said_by(parse_email, text) == expected  # by now its domain is remembered


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("arthur@EXAMPLE.com", "arthur@example.com"),
        ("Arthur@example.com", "Arthur@example.com"),
        ("Postmaster@example.com", "postmaster@example.com"),
        ("arthur@xn--bcher-kva.example.com", "arthur@b\u00fccher.example.com"),
    ],
)
def test_an_address_is_kept_in_its_normal_form(text: str, stored: str) -> None:
    assert parse_email(text) == stored
