"""What a client and an address are, and the rules that hold for them."""

import re
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

UFS = frozenset(
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

DOMAINS = 1024  # of e-mail addresses, that are remembered; most people share a few

# What the library neither refuses nor changes before the @, and goes through letter by letter:
# a dot-atom (RFC 5322, 3.2.3) without capitals, some of which it makes small (RFC 2142).
_PLAIN_EMAIL = re.compile(r"([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@([A-Za-z0-9.-]+)")
_LONGEST_EMAIL = 254  # octets (RFC 5321, 4.5.3.1.3)

_CPF = CPF(repeated_digits=False)


@dataclass(frozen=True, slots=True)
class Client:
    """A person who buys; the e-mail and the CPF are each one client's."""

    STORED: ClassVar = ("id", "name", "email", "cpf", "balance")

    name: str
    email: str
    cpf: str  # 000.000.000-00
    balance: Decimal

    @classmethod
    def from_body(cls, body: dict[str, Any], validation: Validation) -> Self:
        """Return the client that a request describes.

        Raises:
            BadRequest: a rule is broken that the contract cannot tell; it names the field.

        """
        return cls(
            name=body["name"],
            email=parse_email(body["email"]),
            cpf=parse_cpf(body["cpf"], validation),
            balance=parse_money(body["balance"], "balance"),
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return a client, its ``STORED`` columns, as it is answered."""
        identifier, name, email, cpf, balance = row
        return {"id": identifier, "name": name, "email": email, "cpf": cpf, "balance": balance}

    @property
    def email_key(self) -> str:
        """What is unique about the e-mail: it does not depend on case."""
        return email_key(self.email)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client lives or works."""

    STORED: ClassVar = ("id", "client_id", "state", "city", "street", "number", "cep")

    state: str
    city: str
    street: str
    number: int
    cep: str  # 00000-000

    @classmethod
    def from_body(cls, body: dict[str, Any], validation: Validation) -> Self:
        """Return the address that a request describes.

        Raises:
            BadRequest: a rule is broken that the contract cannot tell; it names the field.

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
        """Return an address, its ``STORED`` columns, as it is answered."""
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
    """Return a CPF as ``000.000.000-00``.

    Under ``format`` wrong check digits pass in that form; bare digits are a CPF only when their
    check digits say so.
    """
    digits = text.replace(".", "").replace("-", "")
    bare = digits == text
    if (validation == "strict" or bare) and not _CPF.validate(digits):
        msg = "must be a CPF whose check digits are right"
        raise BadRequest(msg, field="cpf")
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def parse_cep(body: dict[str, Any]) -> str:
    """Return the CEP, which comes as ``CEP`` or ``cep``, as ``00000-000``."""
    digits = str(body.get("CEP") or body["cep"]).replace("-", "")
    return f"{digits[:5]}-{digits[5:]}"


def parse_state(text: str, validation: Validation) -> str:
    """Return a state: one of the 27 UFs, or under ``format`` any two capital letters."""
    if validation == "strict" and text not in UFS:
        msg = "must be one of the 27 UFs, like SP"
        raise BadRequest(msg, field="state")
    return text


def allow_test_domains() -> None:
    """Accept the test domains of RFC 6761, ``.invalid`` and ``.test``, which monitors use.

    The list of rejected domains is email_validator's documented setting. Call this at start-up.
    """
    rejected = email_validator.SPECIAL_USE_DOMAIN_NAMES
    rejected[:] = [domain for domain in rejected if domain not in {"invalid", "test"}]


def parse_email(text: str) -> str:
    """Return an e-mail address (RFC 5321, RFC 6531) in its normal form."""
    try:
        plain = _PLAIN_EMAIL.fullmatch(text) if len(text) <= _LONGEST_EMAIL else None
        if plain and (domain := _normal_domain(plain[2])).isascii():
            return f"{plain[1]}@{domain}"
        return _validated(text).normalized
    except email_validator.EmailNotValidError:
        msg = "must be an e-mail address, like arthur@example.com"
        raise BadRequest(msg, field="email") from None


@lru_cache(DOMAINS)
def _normal_domain(text: str) -> str:
    """Return the domain of an e-mail address in its normal form; raises ``EmailNotValidError``."""
    return _validated(f"a@{text}").domain


def _validated(text: str) -> email_validator.ValidatedEmail:
    return email_validator.validate_email(text, check_deliverability=False)


def email_key(email: str) -> str:
    """Return what two spellings of one e-mail address have in common."""
    return email.casefold()
