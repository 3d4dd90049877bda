"""OAuth 2 clients (RFC 6749): the services and the monitors, with their scopes."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from auth.tokens import USER_SCOPES
from servicekit.auth.guard import Credentials, invalid_credentials
from servicekit.problems import BadRequest, Problem
from servicekit.realm import Realm


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The scopes and the realm of a client."""

    scopes: frozenset[str]
    realm: Realm = "live"


CLIENTS: Mapping[str, OAuthClient] = {
    "clients": OAuthClient(frozenset(("inventory:remove",))),
    "products": OAuthClient(frozenset(("inventory:remove",))),
    "inventory": OAuthClient(frozenset(("clients:exists", "products:exists"))),
    "synthetic": OAuthClient(USER_SCOPES, "synthetic"),
}

_PLACEHOLDER_SECRET = "-" * 43  # for unknown ids, so that the comparison takes as long


class OAuthClients:
    """Clients with their secrets in a folder, in files named by client id."""

    def __init__(self, folder: Path) -> None:
        """Read secrets from ``folder`` at each request, so that changes take effect."""
        self._folder = folder

    def authenticate(self, credentials: Credentials) -> OAuthClient:
        """Return the client with these credentials.

        Raises:
            Unauthorized: the id or the secret is wrong.

        """
        client = CLIENTS.get(credentials.username)
        secret = self._secret(credentials.username) if client else None
        given_secret = credentials.password.encode()
        is_valid = hmac.compare_digest((secret or _PLACEHOLDER_SECRET).encode(), given_secret)
        if client is None or secret is None or not is_valid:
            raise invalid_credentials("The client id or the secret is wrong")
        return client

    def _secret(self, client_id: str) -> str | None:
        try:
            return (self._folder / client_id).read_text().strip() or None
        except OSError:
            return None


def granted_scopes(client: OAuthClient, scope: str | None) -> frozenset[str]:
    """Return the requested scopes, or all scopes of the client by default.

    Raises:
        BadRequest: the client may not have a requested scope.

    """
    if scope is None:
        return client.scopes
    requested = frozenset(scope.split())
    forbidden = sorted(requested - client.scopes)
    if forbidden:
        raise BadRequest(
            f"This client may not have the scope {forbidden[0]}",
            field="scope",
            extra={"error": "invalid_scope"},
        )
    return requested


def add_error_code(problem: Problem) -> None:
    """Add the error code of RFC 6749, 5.2 to a problem of the token operation."""
    codes = {400: "invalid_request", 401: "invalid_client"}
    code = codes.get(problem.status)
    if code and "error" not in problem.extra:
        fields = {error["field"]: error["reason"] for error in problem.errors}
        if code == "invalid_request" and fields.get("grant_type", "is required") != "is required":
            code = "unsupported_grant_type"
        problem.extra["error"] = code
