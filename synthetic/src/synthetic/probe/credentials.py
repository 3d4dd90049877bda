"""Credentials of the probe: an OAuth 2 client of the synthetic realm."""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path

from synthetic.probe.results import ProbeError

CLIENT_ID = "synthetic"
HOSTS_VARIABLE = "CREDENTIALS_HOSTS"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client's id and secret; ``repr`` omits the secret."""

    client_secret: str = field(repr=False)
    client_id: str = CLIENT_ID
    hosts: frozenset[str] | None = None  # that may receive them; None for all

    def allows(self, host: str) -> bool:
        """Return whether a host may receive the credentials."""
        return self.hosts is None or not self.hosts.isdisjoint({host.lower(), "*"})

    def authorization_header(self) -> str:
        """Return the value of the Authorization header (RFC 6749, 2.3.1)."""
        pair = f"{self.client_id}:{self.client_secret}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def read_credentials(folder: Path) -> Credentials:
    """Read the files ``client-secret`` and, if it exists, ``client-id``.

    The environment variable CREDENTIALS_HOSTS restricts the hosts that may receive them.

    Raises:
        ProbeError: a file is empty or cannot be read.

    """
    path = folder / "client-secret"
    try:
        secret = path.read_text().strip()
        path = folder / "client-id"
        client_id = path.read_text().strip() if path.exists() else CLIENT_ID
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ProbeError(f"--credentials: {path} cannot be read ({why})") from error
    if not secret or not client_id:
        raise ProbeError(f"--credentials: {folder}: client-id and client-secret must not be empty")
    hosts = os.environ.get(HOSTS_VARIABLE)
    allowed = None if hosts is None else frozenset(filter(None, hosts.lower().split(",")))
    return Credentials(secret, client_id, allowed)
