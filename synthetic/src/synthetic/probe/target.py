"""The base URL of the system under test."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from synthetic.probe.results import ProbeError


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


def parse_target(url: str) -> Target:
    """Parse a base URL like ``https://shop.example.com/base``.

    Raises:
        ProbeError: the URL is invalid or contains credentials.

    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except (ValueError, UnicodeError):
        host, port, parts = "", None, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ProbeError("--url must contain no credentials: use the option --credentials")
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ProbeError("--url must be like https://shop.example.com or http://127.0.0.1:8080")
    if parts.query or parts.fragment:
        raise ProbeError("--url must have no query and no fragment: the journey has them")
    secure = parts.scheme == "https"
    return Target(secure, host, port or (443 if secure else 80), parts.path.rstrip("/"))
