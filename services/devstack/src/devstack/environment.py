"""The environment of the processes of one machine: built from a list, not inherited.

Variables of a shell, such as proxies, PGHOSTADDR, GUNICORN_CMD_ARGS or PYTHONPATH, would change how
the processes connect and what they import.
"""

import os
import sys
from collections.abc import Mapping

import setproctitle

SETTINGS = (
    "BODY_LIMIT",
    "HASHES_AT_ONCE",
    "JWKS_REFRESH",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "JWT_LEEWAY",
    "KEEP_ALIVE",
    "LOG_LEVEL",
    "OPEN_REGISTRATION",
    "REGISTRATION_LIMIT",
    "SERVICE_TOKEN_TTL",
    "THREADS",
    "TOKEN_TTL",
    "TRUSTED_PROXIES",
    "WORKERS",
)  # of docs/configuration.md, except those that the stack sets
_SYSTEM = ("HOME", "LOGNAME", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER")
_PREFIXES = ("COVERAGE_", "OTEL_")  # COVERAGE_: test runs measure the branches of all processes
_FIXED = {"LANG": "C.UTF-8", "PYTHONUTF8": "1"}


def build(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that the processes may have."""
    allowed = {*_SYSTEM, *SETTINGS}
    if not sys.flags.ignore_environment:
        # this process imports from PYTHONPATH, so its children must too
        allowed |= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    inherited = {n: v for n, v in variables.items() if n in allowed or n.startswith(_PREFIXES)}
    return {**inherited, **_FIXED}


def minimal() -> dict[str, str]:
    """Return the variables of a program that has no settings."""
    return {**_FIXED, "PATH": os.environ.get("PATH", os.defpath)}


def apply() -> None:
    """Replace the environment of this process, which its children inherit."""
    variables = build()
    setproctitle.getproctitle()  # it finds the process's title beside the first environment
    os.environ.clear()
    os.environ.update(variables)
