"""OAuth 2 clients (RFC 6749): the services and the monitors, with their scopes."""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_plus

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

log = logging.getLogger(__name__)

# reasons for the code invalid_request
NOT_ONE_VALUE = ("is required", "is given twice", "this query parameter is not known here")
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
        expected = (secret or _PLACEHOLDER_SECRET).encode()
        # RFC 6749, 2.3.1 encodes a secret as in a form; many clients send it as it is
        spellings = (credentials.password, unquote_plus(credentials.password))
        is_valid = any(hmac.compare_digest(expected, text.encode()) for text in spellings)
        if client is None or secret is None or not is_valid:
            raise invalid_credentials("The client id or the secret is wrong")
        return client

    def _secret(self, client_id: str) -> str | None:
        try:
            return (self._folder / client_id).read_text(encoding="utf-8-sig").strip() or None
        except OSError:
            return None
        except UnicodeDecodeError:
            log.error("the secret of the OAuth client %s is not a text in UTF-8", client_id)  # noqa: TRY400 - the traceback would show bytes of it
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
        invalid = {e["field"] for e in problem.errors if e["reason"] not in NOT_ONE_VALUE}
        for field, field_code in {
            "grant_type": "unsupported_grant_type",
            "scope": "invalid_scope",
        }.items():
            if code == "invalid_request" and field in invalid:
                code = field_code
        problem.extra["error"] = code
