"""Authorization of a request by the Security Requirement Objects of its operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Request

from servicekit.auth.tokens import Principal, TokenVerifier
from servicekit.problems import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Credentials:
    """Unverified user name and password of HTTP basic authentication (RFC 7617)."""

    username: str
    password: str


class Authorizer:
    """Authorizes callers of one operation by any of its Security Requirement Objects."""

    def __init__(
        self, security: Iterable[Mapping[str, list[str]]], verifier: TokenVerifier
    ) -> None:
        """Compile Security Requirement Objects; an empty list admits every caller."""
        self._verifier = verifier
        alternatives = [dict(requirement) for requirement in security]
        self.is_open = not alternatives or {} in alternatives
        self._basic = any("basic" in alternative for alternative in alternatives)
        self._scopes = [frozenset(a["token"]) for a in alternatives if "token" in a]

    def authorize(self, request: Request) -> Principal | Credentials | None:
        """Return the caller; ``None`` without credentials at an open operation.

        Raises:
            Unauthorized: credentials are missing or invalid.
            Forbidden: the token has none of the sufficient scopes.

        """
        if self._basic:
            return _credentials(request)
        if not self._scopes:
            return None
        header = request.environ.get("HTTP_AUTHORIZATION")
        if header is None and self.is_open:
            return None
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        principal = self._verifier.verify(token.strip())
        if not any(scopes <= principal.scopes for scopes in self._scopes):
            raise _insufficient_scope(self._scopes)
        return principal


def _credentials(request: Request) -> Credentials:
    authorization = request.authorization
    if authorization is None or authorization.type != "basic":
        raise invalid_credentials("Credentials are needed in the header Authorization (Basic)")
    return Credentials(authorization.username or "", authorization.password or "")


def invalid_credentials(msg: str = "The user name or the password is wrong") -> Unauthorized:
    """Return the same problem for a wrong name and a wrong password."""
    return Unauthorized(msg, challenge='Basic realm="cadastro", charset="UTF-8"')


def _insufficient_scope(alternatives: list[frozenset[str]]) -> Forbidden:
    needed = " ".join(sorted(alternatives[0]))
    challenge = f'Bearer realm="cadastro", error="insufficient_scope", scope="{needed}"'
    headers = {"WWW-Authenticate": challenge}
    return Forbidden(f"The token lacks the scope {needed}", headers=headers)
