"""Components of auth for its handlers, and the address of the caller."""

from dataclasses import dataclass

from flask import current_app, request

from auth.keys import SigningKeys
from auth.oauth import OAuthClients
from auth.passwords import PasswordHashing
from auth.settings import AuthSettings
from auth.tokens import TokenSigner

EXTENSION = "auth"


@dataclass(frozen=True)
class AuthComponents:
    """Components with the lifetime of the process."""

    settings: AuthSettings
    keys: SigningKeys
    tokens: TokenSigner
    passwords: PasswordHashing
    oauth_clients: OAuthClients

    @classmethod
    def from_settings(cls, settings: AuthSettings) -> "AuthComponents":
        """Create the components; raise ``SigningKeyError`` without a valid signing key."""
        keys = SigningKeys(settings.keys_dir)
        return cls(
            settings=settings,
            keys=keys,
            tokens=TokenSigner(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience),
            passwords=PasswordHashing(
                concurrency=settings.hashes_at_once, threads=settings.threads
            ),
            oauth_clients=OAuthClients(settings.oauth_clients_dir),
        )


def auth() -> AuthComponents:
    """Return the components of the current application."""
    components: AuthComponents = current_app.extensions[EXTENSION]
    return components


def caller_address() -> str:
    """Return the IP address of the caller.

    Each trusted proxy appends an address to X-Forwarded-For. Addresses further left may be forged.
    """
    proxies = auth().settings.trusted_proxies
    header = request.headers.get("X-Forwarded-For", "")
    addresses = [part.strip() for part in header.split(",") if part]
    if proxies and addresses:
        return addresses[-min(proxies, len(addresses))]
    return request.remote_addr or ""
