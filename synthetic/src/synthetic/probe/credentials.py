"""Credentials of the probe for the security schemes of contracts.

A credential is a value with a name, such as `client-secret`. `SCHEME.client-secret` is the one of a
single security scheme. Values come from a folder, as Kubernetes mounts a Secret; from environment
variables; and from options, which override the others.
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthetic.probe.allowed_hosts import AllowedHosts, is_allowed, parse_hosts
from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError
from synthetic.probe.security import SecurityScheme

CLIENT_ID = "synthetic"
DEFAULTS = {"client-id": CLIENT_ID}
HOSTS_VARIABLE = "CREDENTIALS_HOSTS"
ENVIRONMENT_PREFIX = "SYNTHETIC_CREDENTIAL_"
PUBLIC_NAMES = frozenset(("client-id", "client-auth", "scope", "username", "tls.crt", "tls.key"))
NAMES = (
    "client-id", "client-secret", "client-auth", "scope", "token", "username", "password",
    "api-key", "tls.crt", "tls.key",
)  # fmt: skip
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials by name; ``repr`` omits the values."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: AllowedHosts = None
    folder: str = ""  # that they come from, if any
    ignored: tuple[str, ...] = ()  # files of the folder that are no credentials

    def __post_init__(self) -> None:
        """Register the secrets, so that no output contains them."""
        for name, value in self.values.items():
            if not any(name == n or name.endswith(f".{n}") for n in PUBLIC_NAMES):
                MASK.add(value)

    def allows(self, host: str) -> bool:
        """Return whether a host may receive the credentials."""
        return is_allowed(host, self.hosts)

    def find(self, scheme: SecurityScheme, name: str) -> str:
        """Return the credential of a scheme, or the one of all schemes, or an empty text."""
        own = f"{scheme.name}.{name}"
        names = (own, environment_name(own), name)
        found = next(filter(None, map(self.values.get, names)), None)
        return found or DEFAULTS.get(name, "")


def basic_authorization(username: str, password: str) -> str:
    """Return the value of an Authorization header of HTTP Basic (RFC 7617)."""
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    MASK.add(encoded)
    return f"Basic {encoded}"


def read_credentials(folder: Path) -> Credentials:
    """Read the files of a folder, such as ``client-secret`` and ``client-id``.

    Raises:
        ProbeError: a file is empty or cannot be read.

    """
    return gather_credentials(folder)


def gather_credentials(
    folder: Path | None,
    options: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Credentials:
    """Return the credentials of a folder, of the environment and of options; the last one wins.

    The environment variable CREDENTIALS_HOSTS restricts the hosts that may receive them.

    Raises:
        ProbeError: a file is empty or cannot be read, or a value is empty.

    """
    environment = os.environ if environment is None else environment
    values = {
        **(_read_folder(folder) if folder else {}),
        **_read_environment(environment),
        **(options or {}),
    }
    empty = next((name for name in ("client-id", "client-secret") if values.get(name) == ""), None)
    if empty:
        raise ProbeError(
            f"--credentials: {folder or 'the value'}: client-id and client-secret must not be empty"
        )
    hosts = parse_hosts(environment, HOSTS_VARIABLE)
    return Credentials(values, hosts, str(folder or ""), _ignored(folder) if folder else ())


def environment_name(name: str) -> str:
    """Return the environment variable of a credential."""
    return ENVIRONMENT_PREFIX + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _read_folder(folder: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    try:
        for path in sorted(folder.iterdir()):
            name = path.name
            if not _is_known(name):
                continue
            if name.endswith(("tls.crt", "tls.key")):
                values[name] = str(path)  # the TLS library reads it
                continue
            with path.open("rb") as file:
                values[name] = file.read(MAX_FILE_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        place = getattr(error, "filename", None) or folder
        raise ProbeError(f"--credentials: {place} cannot be read ({why})") from error
    return values


def _ignored(folder: Path) -> tuple[str, ...]:
    """Return the names of files that are no credentials, without Kubernetes' own (`..data`)."""
    names = sorted(path.name for path in folder.iterdir())
    return tuple(name for name in names if not name.startswith(".") and not _is_known(name))


def _is_known(name: str) -> bool:
    return any(name == known or name.endswith(f".{known}") for known in NAMES)


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values by the name of the credential, or by the variable for a single scheme."""
    known = {environment_name(name): name for name in NAMES}
    return {
        known.get(variable, variable): value.removeprefix("\ufeff").strip()
        for variable, value in environment.items()
        if variable.startswith(ENVIRONMENT_PREFIX) and value.removeprefix("\ufeff").strip()
    }
