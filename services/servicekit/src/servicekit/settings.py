"""Settings of a service: read once from the environment, immutable and safe to print."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import psycopg2

from servicekit.environment import Environment, SettingsError
from servicekit.libpq import connection_parameters

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state

T = TypeVar("T")
Validation = Literal["strict", "format"]


@dataclass(frozen=True)
class Settings:
    """Settings that all services share; each service adds its own in a subclass."""

    database_url: str = field(repr=False)  # it holds a password
    read_database_url: str = field(repr=False)  # of a streaming replica; empty without one
    contracts_dir: Path
    validation: Validation
    jwt_issuer: str
    jwt_audience: str
    jwt_leeway: int  # seconds that the clocks of two machines may differ
    log_level: str
    threads: int  # of each worker, which has as many database connections
    workers: int  # processes of the service
    body_limit: int  # bytes
    instance: str  # name in health responses, for example NAMESPACE/RELEASE/SERVICE; or empty
    metrics_bind: str  # host:port; empty disables metrics
    traces_endpoint: str  # OTLP over HTTP; empty disables tracing

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            SettingsError: settings are missing or invalid; it lists all of them.

        """
        env = Environment()
        values = cls.read(env)
        env.raise_problems()
        return cls(**values)

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return the value of each field; ``env`` collects the problems."""
        return {
            "database_url": _database_url(env, "DATABASE_URL"),
            "read_database_url": _database_url(env, "READ_DATABASE_URL", ""),
            "contracts_dir": env.folder("CONTRACTS_DIR"),
            "validation": env.choice("VALIDATION", "strict", "format"),
            "jwt_issuer": env.text("JWT_ISSUER", "cadastro"),
            "jwt_audience": env.text("JWT_AUDIENCE", "cadastro"),
            "jwt_leeway": env.integer("JWT_LEEWAY", 30, 0, 120),
            "log_level": env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
            "threads": env.integer("THREADS", 4, 1, 64),
            "workers": env.integer("WORKERS", 1, 1, 256),
            "body_limit": env.integer("BODY_LIMIT", 65_536, 1024, 16_777_216),
            "instance": env.text(
                "INSTANCE",
                "",
                pattern=r"[A-Za-z0-9._/-]{0,200}",
                message="It must be a name like shop/cadastro/clients, with at most 200 letters,"
                " digits and . _ / -.",
            ),
            "metrics_bind": env.text(
                "METRICS_BIND",
                "",
                pattern=r"(([^:\s]+|\[[0-9A-Fa-f:.]+\]):\d{1,5})?",
                message="It must be a host and a port, like 0.0.0.0:9000 or [::]:9000.",
            ),
            "traces_endpoint": env.url("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        }


@dataclass(frozen=True)
class PeerSettings(Settings):
    """Settings of a service that verifies auth's tokens and requests its own from auth."""

    jwks_url: str
    jwks_refresh: float  # seconds between fetches of auth's keys
    token_url: str
    service_client_id: str
    service_client_secret_file: Path

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return the value of each field; ``env`` collects the problems."""
        return super().read(env) | {
            "jwks_url": env.url("JWKS_URL"),
            "jwks_refresh": env.number("JWKS_REFRESH", 60, 0.1, 3600),
            "token_url": env.url("TOKEN_URL"),
            "service_client_id": env.text("SERVICE_CLIENT_ID"),
            "service_client_secret_file": env.file("SERVICE_CLIENT_SECRET_FILE"),
        }


def settings_or_exit(read: Callable[[], T]) -> T:
    """Return the result of ``read``; on ``SettingsError`` print it and exit with code 78."""
    try:
        return read()
    except SettingsError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EX_CONFIG) from None


def database_url() -> str:
    """Return the database URL, the only setting that database commands need.

    Raises:
        SettingsError: it is missing or invalid.

    """
    env = Environment()
    value = _database_url(env, "DATABASE_URL")
    env.raise_problems()
    return value


def _database_url(env: Environment, name: str, default: str | None = None) -> str:
    url = env.text(
        name,
        default,
        pattern=r"postgresql(\+psycopg2)?://.*" + ("" if default is None else "|"),
        message="It must start with postgresql://.",
    )
    try:
        connection_parameters(url)
    except psycopg2.ProgrammingError:
        env.reject(
            name,
            "It must be like postgresql://user:password@host:5432/name, and special characters of"
            " the password must be percent-encoded, like %40 for @.",
        )
    return url
