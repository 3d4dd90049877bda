"""The settings of a service: read once from the environment, frozen, and safe to print."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from servicekit.environment import Environment, SettingsError

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state

T = TypeVar("T")
Validation = Literal["strict", "format"]


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
        env = Environment()
        values = cls.read(env)
        env.seal()
        return cls(**values)

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return {
            "database_url": _database_url(env),
            "contracts_dir": env.folder("CONTRACTS_DIR"),
            "validation": env.one_of("VALIDATION", "strict", "format"),
            "jwt_issuer": env.text("JWT_ISSUER", "cadastro"),
            "jwt_audience": env.text("JWT_AUDIENCE", "cadastro"),
            "log_level": env.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
            "threads": env.integer("THREADS", 4, 1, 64),
            "workers": env.integer("WORKERS", 1, 1, 256),
            "body_limit": env.integer("BODY_LIMIT", 65_536, 1024, 16_777_216),
            "metrics_bind": env.text(
                "METRICS_BIND",
                "",
                like=r"([^:\s]+:\d{1,5})?",
                hint="It must be a host and a port, like 0.0.0.0:9000.",
            ),
            "traces_endpoint": env.url("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
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
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            "jwks_url": env.url("JWKS_URL"),
            "jwks_refresh": env.number("JWKS_REFRESH", 60, 0.1, 3600),
            "token_url": env.url("TOKEN_URL"),
            "service_client_id": env.text("SERVICE_CLIENT_ID"),
            "service_client_secret_file": env.file("SERVICE_CLIENT_SECRET_FILE"),
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
    env = Environment()
    value = _database_url(env)
    env.seal()
    return value


def _database_url(env: Environment) -> str:
    return env.text(
        "DATABASE_URL",
        like=r"postgresql(\+psycopg2)?://.*",
        hint="It must start with postgresql://.",
    )
