"""OAuth 2 clients: the services and the monitors, with what each may ask for (RFC 6749)."""

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
    """What one client may have."""

    scopes: frozenset[str]
    realm: Realm = "live"


CLIENTS: Mapping[str, OAuthClient] = {
    "clients": OAuthClient(frozenset(("inventory:remove",))),
    "products": OAuthClient(frozenset(("inventory:remove",))),
    "inventory": OAuthClient(frozenset(("clients:exists", "products:exists"))),
    "synthetic": OAuthClient(USER_SCOPES, "synthetic"),
}

_NO_SECRET = "-" * 43  # compared with for unknown ids, so that they take as long


class OAuthClients:
    """The clients whose secrets are in a folder, one file each, named by the client's id."""

    def __init__(self, folder: Path) -> None:
        """Read secrets from ``folder``, at each request: they can be changed at any time."""
        self._folder = folder

    def authenticate(self, credentials: Credentials) -> OAuthClient:
        """Return the client.

        Raises:
            Unauthorized: the id or the secret is wrong.

        """
        client = CLIENTS.get(credentials.username)
        secret = self._secret(credentials.username) if client else None
        given = credentials.password.encode()
        is_right = hmac.compare_digest((secret or _NO_SECRET).encode(), given)
        if client is None or secret is None or not is_right:
            raise invalid_credentials("The client id or the secret is wrong")
        return client

    def _secret(self, client_id: str) -> str | None:
        try:
            return (self._folder / client_id).read_text().strip() or None
        except OSError:
            return None


def granted(client: OAuthClient, scope: str | None) -> frozenset[str]:
    """Return the scopes of a token: all that the client may have, or those that it asks for.

    Raises:
        BadRequest: it asks for more.

    """
    if scope is None:
        return client.scopes
    asked = frozenset(scope.split())
    beyond = sorted(asked - client.scopes)
    if beyond:
        msg = f"This client may not have the scope {beyond[0]}"
        raise BadRequest(msg, field="scope", extra={"error": "invalid_scope"})
    return asked


def name_error(problem: Problem) -> None:
    """Give a problem of the token operation the code that RFC 6749, 5.2 has for it."""
    codes = {400: "invalid_request", 401: "invalid_client"}
    code = codes.get(problem.status)
    if code and "error" not in problem.extra:
        fields = {error["field"]: error["reason"] for error in problem.errors}
        if code == "invalid_request" and fields.get("grant_type", "is required") != "is required":
            code = "unsupported_grant_type"
        problem.extra["error"] = code
