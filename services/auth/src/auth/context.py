"""Components of auth for its handlers, and the address of the caller."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

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
    """Return the address of the caller that failed logins count for.

    Each trusted proxy appends an address to X-Forwarded-For. Addresses further left may be forged.
    """
    proxies = auth().settings.trusted_proxies
    header = request.headers.get("X-Forwarded-For", "")
    addresses = [part.strip() for part in header.split(",") if part]
    if proxies and addresses:
        return throttled_address(addresses[-min(proxies, len(addresses))])
    return throttled_address(request.remote_addr or "")


def throttled_address(text: str) -> str:
    """Return the address that failures count for: an IPv4 address, or the /64 of an IPv6 one.

    Some proxies append the port, and a host has a whole /64 (RFC 6177). Texts that are no address
    count as one group, so that invented ones do not evade the throttle.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return str(address)
