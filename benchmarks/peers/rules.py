# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""Validation that all peers share: tokens, and the fields of a client."""

import os
import re
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import email_validator
import jwt
from validate_docbr import CPF

PUBLIC_KEY = Path(os.environ["PUBLIC_KEY"]).read_text()
DATABASE_URL = os.environ["DATABASE_URL"]
READ = "clients:read"
WRITE = "clients:write"
MAX_ID = 2**63 - 1
MAX_PAGE_SIZE = 1000
FIELDS = ("name", "email", "cpf", "balance")
REQUIRED_CLAIMS = ["iss", "aud", "exp", "iat", "nbf", "sub", "jti", "client_id"]
MAX_CACHED_TOKENS = 4096

_NAME = re.compile(r"[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*\Z")
_CPF = re.compile(r"([0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11})\Z")
_TAKEN = {"uq_clients_email": "email", "uq_clients_cpf": "cpf"}


class ProblemError(Exception):
    """An error that a peer returns as a problem."""

    def __init__(self, status: int, msg: str, field: str | None = None) -> None:
        """Set status and message; ``field`` is the invalid field."""
        super().__init__(msg)
        self.status = status
        self.msg = msg if field is None else f"{field}: {msg}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with the status."""
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}

    def document(self) -> dict[str, Any]:
        """Return the problem details (RFC 9457)."""
        return {
            "type": "about:blank",
            "title": "Rejected",
            "status": self.status,
            "detail": self.msg,
            "msg": self.msg,
        }


@dataclass(frozen=True)
class Caller:
    """The holder of an accepted token."""

    realm: str
    scopes: frozenset[str]
    expires_at: int


def decode(token: str) -> Caller:
    """Return the holder of a token; raises ``ProblemError``."""
    try:
        whole = jwt.decode_complete(
            token,
            PUBLIC_KEY,
            algorithms=["ES256"],
            issuer="cadastro",
            audience="cadastro",
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.InvalidTokenError:
        raise ProblemError(401, "the token is not accepted") from None
    claims = whole["payload"]
    if whole["header"].get("typ") != "at+jwt" or claims.get("realm") not in {"live", "synthetic"}:
        raise ProblemError(401, "the token is not accepted")
    return Caller(claims["realm"], frozenset(claims["scope"].split()), claims["exp"])


_cache: dict[str, Caller] = {}


def decode_cached(token: str) -> Caller:
    """Return the holder of a token, from a cache until it expires; raises ``ProblemError``."""
    caller = _cache.get(token)
    if caller is None:
        caller = decode(token)
        if len(_cache) >= MAX_CACHED_TOKENS:
            _cache.pop(next(iter(_cache)))
        _cache[token] = caller
    if caller.expires_at <= time.time():
        _cache.pop(token, None)
        raise ProblemError(401, "the token has expired")
    return caller


def bearer(header: str | None) -> str:
    """Return the token in an Authorization header; raises ``ProblemError``."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ProblemError(401, "a bearer token is needed")
    return token


def allow(caller: Caller, scope: str) -> Caller:
    """Return the caller when it has the scope; raises ``ProblemError``."""
    if scope not in caller.scopes:
        raise ProblemError(403, f"the token lacks {scope}")
    return caller


def parse_name(text: str) -> str:
    """Return a name; raises ``ValueError``."""
    if not 1 <= len(text) <= 200 or not _NAME.match(text):
        raise ValueError("must have 1 to 200 characters and not be blank")
    return text


def parse_email(text: str) -> str:
    """Return a normalized e-mail address; raises ``ValueError``."""
    return email_validator.validate_email(text, check_deliverability=False).normalized


def parse_cpf(text: str) -> str:
    """Return a CPF in its stored form; raises ``ValueError``."""
    digits = text.replace(".", "").replace("-", "")
    if not _CPF.match(text) or not CPF(repeated_digits=False).validate(digits):
        raise ValueError("must be a CPF")
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def parse_balance(value: float | str | Decimal) -> Decimal:
    """Return an amount with two places; raises ``ValueError``."""
    try:
        amount = Decimal(str(value))
        if not 0 <= amount < 10**10 or amount != amount.quantize(Decimal("0.01")):
            raise ValueError("must be money")
    except InvalidOperation:
        raise ValueError("must be money") from None
    return amount.quantize(Decimal("0.01"))


def taken(constraint: str | None) -> ProblemError:
    """Return the problem for a violated unique constraint."""
    return ProblemError(409, "already belongs to another client", _TAKEN.get(constraint or ""))


def next_link(path: str, limit: int, last: int) -> str:
    """Return the Link header of a page that is not the last one (RFC 8288)."""
    return f'<{path}?limit={limit}&after={last}>; rel="next"'
