"""What auth's handlers find beside the database."""

from dataclasses import dataclass

from flask import current_app, request

from auth.keys import SigningKeys
from auth.oauth import OAuthClients
from auth.passwords import Passwords
from auth.settings import AuthSettings
from auth.tokens import Tokens

EXTENSION = "auth"


@dataclass(frozen=True)
class Auth:
    """The parts that last as long as the process."""

    settings: AuthSettings
    keys: SigningKeys
    tokens: Tokens
    passwords: Passwords
    oauth_clients: OAuthClients

    @classmethod
    def from_settings(cls, settings: AuthSettings) -> "Auth":
        """Make the parts; raises ``KeysError`` when there is no key to sign with."""
        keys = SigningKeys(settings.keys_dir)
        return cls(
            settings=settings,
            keys=keys,
            tokens=Tokens(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience),
            passwords=Passwords(at_once=settings.hashes_at_once, threads=settings.threads),
            oauth_clients=OAuthClients(settings.oauth_clients_dir),
        )


def auth() -> Auth:
    """Return the parts of the service that answers the current request."""
    found: Auth = current_app.extensions[EXTENSION]
    return found


def caller_address() -> str:
    """Return where the current request came from.

    As many proxies as are trusted have each appended the address that they saw; what stands to
    the left of those anybody may have written.
    """
    proxies = auth().settings.trusted_proxies
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part]
    if proxies and seen:
        return seen[-min(proxies, len(seen))]
    return request.remote_addr or ""
