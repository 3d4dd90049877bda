"""Authorization of a request by the Security Requirement Objects of its operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Request

from servicekit.auth.tokens import Principal, Verifier
from servicekit.problems import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, as they came (RFC 7617); nobody has checked them yet."""

    username: str
    password: str


class Guard:
    """What one operation asks of its caller: any one of its Security Requirement Objects."""

    def __init__(self, security: Iterable[Mapping[str, list[str]]], verifier: Verifier) -> None:
        """Compile a list of Security Requirement Objects; an empty one lets anybody in."""
        self._verifier = verifier
        alternatives = [dict(requirement) for requirement in security]
        self.is_open = not alternatives or {} in alternatives
        self._basic = any("basic" in alternative for alternative in alternatives)
        self._scopes = [frozenset(a["token"]) for a in alternatives if "token" in a]

    def admit(self, request: Request) -> Principal | Credentials | None:
        """Return who calls; ``None`` for a caller without credentials at an open operation.

        Raises:
            Unauthorized: credentials are needed, or those that came are not accepted.
            Forbidden: none of the scopes that would do is in the token.

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
        raise bad_credentials()
    return Credentials(authorization.username or "", authorization.password or "")


def bad_credentials(msg: str = "The user name or the password is wrong") -> Unauthorized:
    """Return the one answer to a wrong name, a wrong password, or none."""
    return Unauthorized(msg, challenge='Basic realm="cadastro", charset="UTF-8"')


def _insufficient_scope(alternatives: list[frozenset[str]]) -> Forbidden:
    needed = " ".join(sorted(alternatives[0]))
    challenge = f'Bearer realm="cadastro", error="insufficient_scope", scope="{needed}"'
    problem = Forbidden(f"The token lacks the scope {needed}")
    problem.headers["WWW-Authenticate"] = challenge
    return problem
