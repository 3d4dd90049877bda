"""What the auth service can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import Settings

A_DAY = 86_400  # seconds


@dataclass(frozen=True)
class AuthSettings(Settings):
    """The settings of every service, and those of tokens, keys and registration."""

    keys_dir: Path
    oauth_clients_dir: Path
    token_ttl: int  # seconds
    service_token_ttl: int  # seconds
    open_registration: bool
    hashes_at_once: int  # of each worker process
    trusted_proxies: int  # how many proxies before us append to X-Forwarded-For

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            # threads that wait for a hash cost nothing, and must leave some for everybody else
            "threads": env.integer("THREADS", 16, 2, 64),
            "keys_dir": env.folder("KEYS_DIR"),
            "oauth_clients_dir": env.folder("OAUTH_CLIENTS_DIR"),
            "token_ttl": env.integer("TOKEN_TTL", 3600, 1, A_DAY),
            "service_token_ttl": env.integer("SERVICE_TOKEN_TTL", 300, 1, A_DAY),
            "open_registration": env.boolean("OPEN_REGISTRATION", default=True),
            "hashes_at_once": env.integer("HASHES_AT_ONCE", 1, 1, 64),
            "trusted_proxies": env.integer("TRUSTED_PROXIES", 1, 0, 5),
        }
