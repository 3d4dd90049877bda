"""The settings of a service: read once from the environment, frozen, and safe to print."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from environs import Env, EnvValidationError, validate
from marshmallow import ValidationError

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state

T = TypeVar("T")
Validation = Literal["strict", "format"]


class SettingsError(Exception):
    """Settings that are missing or bad; ``problems`` says what is wrong with each, by its name."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        """Keep what is wrong, and say it in one line a setting."""
        self.problems = problems
        lines = [f"  {name}: {' '.join(reasons)}" for name, reasons in sorted(problems.items())]
        super().__init__("\n".join(["these settings are missing or wrong:", *lines]))


@dataclass(frozen=True)
class Settings:
    """What every service can be told; a service's own settings are a subclass."""

    database_url: str = field(repr=False)  # it holds a password
    contracts_dir: Path
    validation: Validation
    jwt_issuer: str
    jwt_audience: str
    log_level: str
    threads: int  # handler threads of a process, and connections of its pool
    workers: int  # processes
    body_limit: int  # bytes
    metrics_bind: str  # host:port; empty for no metrics
    traces_endpoint: str  # OTLP over HTTP; empty for no traces

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            SettingsError: some are missing or bad; it lists every one of them.

        """
        env = Env(eager=False)
        values = cls.read(env)
        _seal(env)
        return cls(**values)

    @classmethod
    def read(cls, env: Env) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return {
            "database_url": env.str("DATABASE_URL", validate=_is_postgresql),
            "contracts_dir": env.path("CONTRACTS_DIR", validate=is_folder),
            "validation": _one_of(env, "VALIDATION", "strict", "format"),
            "jwt_issuer": env.str("JWT_ISSUER", "cadastro"),
            "jwt_audience": env.str("JWT_AUDIENCE", "cadastro"),
            "log_level": _one_of(env, "LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
            "threads": env.int("THREADS", 4, validate=validate.Range(1, 64)),
            "workers": env.int("WORKERS", 1, validate=validate.Range(1, 256)),
            "body_limit": env.int("BODY_LIMIT", 65_536, validate=validate.Range(1024, 16_777_216)),
            "metrics_bind": env.str("METRICS_BIND", "", validate=_is_address),
            "traces_endpoint": env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "", validate=_may_be_url),
        }


@dataclass(frozen=True)
class PeerSettings(Settings):
    """The settings of a service that trusts auth's tokens, and asks it for its own."""

    jwks_url: str
    jwks_refresh: float  # seconds between two fetches of auth's keys
    token_url: str
    service_client_id: str
    service_client_secret_file: Path

    @classmethod
    def read(cls, env: Env) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            "jwks_url": url(env, "JWKS_URL"),
            "jwks_refresh": env.float("JWKS_REFRESH", 60, validate=validate.Range(0.1, 3600)),
            "token_url": url(env, "TOKEN_URL"),
            "service_client_id": env.str("SERVICE_CLIENT_ID"),
            "service_client_secret_file": env.path("SERVICE_CLIENT_SECRET_FILE", validate=is_file),
        }


def settings_or_exit(read: Callable[[], T]) -> T:
    """Return what ``read`` reads, or end the process with what is wrong and exit code 78."""
    try:
        return read()
    except SettingsError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EX_CONFIG) from None


def database_url() -> str:
    """Return the one setting that commands without a contract need.

    Raises:
        SettingsError: it is missing or bad.

    """
    env = Env(eager=False)
    value = env.str("DATABASE_URL", validate=_is_postgresql)
    _seal(env)
    return value


def url(env: Env, name: str) -> str:
    """Return the HTTP(S) URL in a setting, without a trailing slash."""
    value: str | None = env.str(name, validate=_is_http_url)
    return (value or "").rstrip("/")  # a bad one is None until the environment is sealed


def is_file(path: Path) -> None:
    """Complain when there is no such file."""
    if not path.is_file():
        message = f"{path} is not a file that can be read."
        raise ValidationError(message)


def _seal(env: Env) -> None:
    """Raise what was gathered in ``env``, if anything was."""
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Any = error.error_messages  # by name, for a sealed environment
        problems = {name: [str(reason) for reason in messages[name]] for name in messages}
        raise SettingsError(problems) from None


def is_folder(path: Path) -> None:
    """Complain when there is no such folder."""
    if not path.is_dir():
        message = f"{path} is not a folder."
        raise ValidationError(message)


def _is_postgresql(value: str) -> None:
    if not value.startswith(("postgresql://", "postgresql+psycopg2://")):
        message = "It must start with postgresql://."  # the value may hold a password: not echoed
        raise ValidationError(message)


def _is_address(value: str) -> None:
    if value and not re.fullmatch(r"[^:\s]+:\d{1,5}", value):
        message = "It must be a host and a port, like 0.0.0.0:9000."
        raise ValidationError(message)


def _is_http_url(value: str) -> None:
    if not value.startswith(("http://", "https://")):
        message = "It must start with http:// or https://."
        raise ValidationError(message)


def _may_be_url(value: str) -> None:
    if value:
        _is_http_url(value)


def _one_of(env: Env, name: str, default: str, *others: str) -> str:
    return env.str(name, default, validate=validate.OneOf((default, *others)))
