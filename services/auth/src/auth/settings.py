"""Settings of the auth service."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import Settings

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class AuthSettings(Settings):
    """The common settings, and those of tokens, keys and registration."""

    keys_dir: Path
    oauth_clients_dir: Path
    token_ttl: int  # seconds
    service_token_ttl: int  # seconds
    open_registration: bool
    hashes_at_once: int  # in each worker process
    registration_limit: int  # users without a delay, by address; 0 for no limit
    trusted_proxies: int  # number of proxies that append to X-Forwarded-For

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            # more threads than by default: those that wait for a hash are cheap
            "threads": env.integer("THREADS", 16, 2, 64),
            "keys_dir": env.folder("KEYS_DIR"),
            "oauth_clients_dir": env.folder("OAUTH_CLIENTS_DIR"),
            "token_ttl": env.integer("TOKEN_TTL", 3600, 1, DAY_SECONDS),
            "service_token_ttl": env.integer("SERVICE_TOKEN_TTL", 300, 1, DAY_SECONDS),
            "open_registration": env.boolean("OPEN_REGISTRATION", default=True),
            "hashes_at_once": env.integer("HASHES_AT_ONCE", 1, 1, 64),
            "registration_limit": env.integer("REGISTRATION_LIMIT", 100, 0, 1_000_000),
            "trusted_proxies": env.integer("TRUSTED_PROXIES", 1, 0, 5),
        }
