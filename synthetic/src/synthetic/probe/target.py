"""The base URL of the system under test."""

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, urlsplit

from synthetic.probe.results import ProbeError

_AUTHORITY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"  # RFC 3986, 3.3, and percent-encoded ones


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host and port, and the prefix of all paths."""

    secure: bool
    host: str
    port: int
    prefix: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.secure else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The complete base URL."""
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.prefix}"


def parse_target(url: str, option: str = "--url") -> Target:
    """Parse a base URL like ``https://shop.example.com/base``; errors name the ``option``.

    Raises:
        ProbeError: the URL is invalid or contains credentials.

    """
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise ProbeError(f"{option} must contain no credentials: use the option --credentials")
    target = _target(parts, option)
    if target is None:
        raise ProbeError(f"{option} must be like https://shop.example.com or http://127.0.0.1:8080")
    if parts.query or parts.fragment:
        raise ProbeError(f"{option} must have no query and no fragment: the journey has them")
    return target


def parse_server(url: str) -> Target:
    """Parse the URL of a Server Object of OpenAPI.

    Raises:
        ProbeError: the URL is invalid or contains credentials.

    """
    return parse_target(url, "the contract's server")


def parse_token_url(url: str, target: Target) -> tuple[Target, str]:
    """Return the origin and the path of a tokenUrl; a relative one belongs to ``target``.

    Raises:
        ProbeError: the URL is invalid or contains credentials.

    """
    if "://" not in url:
        return target, f"/{url.lstrip('/')}"
    return parse_endpoint(url, "the contract's tokenUrl")


def parse_endpoint(url: str, what: str) -> tuple[Target, str]:
    """Return the origin of an absolute URL, and its path with the query.

    Raises:
        ProbeError: the URL is invalid or contains credentials; the message names ``what``.

    """
    parts = _split(url)
    endpoint = None if parts.username is not None else _target(parts, what)
    if endpoint is None:
        raise ProbeError(f"{what} must be an HTTP URL without credentials")
    query = f"?{parts.query}" if parts.query else ""
    return replace(endpoint, prefix=""), f"{parts.path or '/'}{query}"


def host_of(authority: str) -> str:
    """Return the host of a Host header, or the whole text if that is no host with a port."""
    found = _AUTHORITY.fullmatch(authority)
    return found[1].strip("[]") if found else authority


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _target(parts: SplitResult, what: str) -> Target | None:
    try:
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except (ValueError, UnicodeError):
        return None
    if "%" in host and ":" in host:
        raise ProbeError(
            f"{what} must have no zone in its IPv6 address, such as %eth0: URLs have none "
            "(RFC 9844); use an address beyond the link, or a name"
        )
    if parts.scheme not in {"http", "https"} or not host or "%" in host or port == 0:
        return None
    if any(character.isspace() for character in host):
        return None
    secure = parts.scheme == "https"
    prefix = quote(parts.path.rstrip("/"), safe=PATH_CHARACTERS)
    return Target(secure, host, port or (443 if secure else 80), prefix)
