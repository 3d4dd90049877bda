"""Clients and addresses, and their validation."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Self

import email_validator
from validate_docbr import CPF

from servicekit.money import parse_money
from servicekit.problems import BadRequest
from servicekit.settings import Validation

STATES = frozenset(
    [
        "AC",
        "AL",
        "AM",
        "AP",
        "BA",
        "CE",
        "DF",
        "ES",
        "GO",
        "MA",
        "MG",
        "MS",
        "MT",
        "PA",
        "PB",
        "PE",
        "PI",
        "PR",
        "RJ",
        "RN",
        "RO",
        "RR",
        "RS",
        "SC",
        "SE",
        "SP",
        "TO",
    ]
)

DOMAIN_CACHE_SIZE = 1024  # most e-mail addresses share a few domains

# Local parts that email_validator accepts unchanged, but checks slowly: dot-atoms (RFC 5322, 3.2.3)
# without capitals, which it converts to lower case in some names (RFC 2142).
_PLAIN_EMAIL = re.compile(r"([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@([A-Za-z0-9.-]+)")
_MAX_EMAIL_LENGTH = 254  # octets (RFC 5321, 4.5.3.1.3)

_CPF = CPF(repeated_digits=False)


@dataclass(frozen=True, slots=True)
class Client:
    """A customer with a unique e-mail address and CPF."""

    COLUMNS: ClassVar = ("id", "name", "email", "cpf", "balance")

    name: str
    email: str
    cpf: str  # 000.000.000-00
    balance: Decimal

    @classmethod
    def from_body(cls, body: dict[str, Any], validation: Validation) -> Self:
        """Parse a valid request body.

        Raises:
            BadRequest: a rule beyond the contract is violated; the problem names the field.

        """
        return cls(
            name=body["name"],
            email=parse_email(body["email"]),
            cpf=parse_cpf(body["cpf"], validation),
            balance=parse_money(body["balance"], "balance"),
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return the response body for a row with ``COLUMNS``."""
        identifier, name, email, cpf, balance = row
        return {"id": identifier, "name": name, "email": email, "cpf": cpf, "balance": balance}

    @property
    def email_key(self) -> str:
        """The unique key of the e-mail address, which ignores case."""
        return email_key(self.email)


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a client."""

    COLUMNS: ClassVar = ("id", "client_id", "state", "city", "street", "number", "cep")

    state: str
    city: str
    street: str
    number: int
    cep: str  # 00000-000

    @classmethod
    def from_body(cls, body: dict[str, Any], validation: Validation) -> Self:
        """Parse a valid request body.

        Raises:
            BadRequest: a rule beyond the contract is violated; the problem names the field.

        """
        return cls(
            state=parse_state(body["state"], validation),
            city=body["city"],
            street=body["street"],
            number=body["number"],
            cep=parse_cep(body),
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return the response body for a row with ``COLUMNS``."""
        identifier, client_id, state, city, street, number, cep = row
        return {
            "id": identifier,
            "client_id": client_id,
            "state": state,
            "city": city,
            "street": street,
            "number": number,
            "CEP": cep,
        }


def parse_cpf(text: str, validation: Validation) -> str:
    """Parse a CPF into the form ``000.000.000-00``.

    With ``format`` validation, wrong check digits are accepted in that form, but not in 11 bare
    digits.
    """
    digits = text.replace(".", "").replace("-", "")
    is_bare = digits == text
    if (validation == "strict" or is_bare) and not _CPF.validate(digits):
        raise BadRequest("must be a CPF whose check digits are right", field="cpf")
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def parse_cep(body: dict[str, Any]) -> str:
    """Parse the member ``CEP`` or ``cep`` into the form ``00000-000``."""
    digits = str(body.get("CEP") or body["cep"]).replace("-", "")
    return f"{digits[:5]}-{digits[5:]}"


def parse_state(text: str, validation: Validation) -> str:
    """Parse a state: one of the 27 UFs; with ``format`` validation, any two capital letters."""
    if validation == "strict" and text not in STATES:
        raise BadRequest("must be one of the 27 UFs, like SP", field="state")
    return text


def allow_test_domains() -> None:
    """Accept the test domains of RFC 6761, ``.invalid`` and ``.test``, which monitors use.

    The list of rejected domains is email_validator's documented setting. Call this at start-up.
    """
    rejected = email_validator.SPECIAL_USE_DOMAIN_NAMES
    rejected[:] = [domain for domain in rejected if domain not in {"invalid", "test"}]


def parse_email(text: str) -> str:
    """Parse an e-mail address (RFC 5321, RFC 6531) into its normal form."""
    try:
        plain = _PLAIN_EMAIL.fullmatch(text) if len(text) <= _MAX_EMAIL_LENGTH else None
        if plain and (domain := _normalize_domain(plain[2])).isascii():
            return f"{plain[1]}@{domain}"
        return _validate(text).normalized
    except email_validator.EmailNotValidError:
        raise BadRequest(
            "must be an e-mail address, like arthur@example.com", field="email"
        ) from None


@lru_cache(DOMAIN_CACHE_SIZE)
def _normalize_domain(text: str) -> str:
    """Return the normal form of a domain; raise ``EmailNotValidError`` if it is invalid."""
    return _validate(f"a@{text}").domain


def _validate(text: str) -> email_validator.ValidatedEmail:
    return email_validator.validate_email(text, check_deliverability=False)


def email_key(email: str) -> str:
    """Return a key that is equal for normal e-mail addresses that differ in case only.

    Case folding may decompose a letter, so the key is normalized again.
    """
    return unicodedata.normalize("NFC", email.casefold())


def searched_email_key(text: str) -> str:
    """Return the key of an e-mail address in any form; no client has the key of an invalid one."""
    try:
        return email_key(parse_email(text))
    except BadRequest:
        return text
