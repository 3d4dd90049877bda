"""What the auth service can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, validate

from servicekit.settings import Settings, is_folder


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
    def read(cls, env: Env) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        a_day = validate.Range(1, 86_400)
        return super().read(env) | {
            # threads that wait for a hash cost nothing, and must leave some for everybody else
            "threads": env.int("THREADS", 16, validate=validate.Range(2, 64)),
            "keys_dir": env.path("KEYS_DIR", validate=is_folder),
            "oauth_clients_dir": env.path("OAUTH_CLIENTS_DIR", validate=is_folder),
            "token_ttl": env.int("TOKEN_TTL", 3600, validate=a_day),
            "service_token_ttl": env.int("SERVICE_TOKEN_TTL", 300, validate=a_day),
            "open_registration": env.bool("OPEN_REGISTRATION", True),
            "hashes_at_once": env.int("HASHES_AT_ONCE", 1, validate=validate.Range(1, 64)),
            "trusted_proxies": env.int("TRUSTED_PROXIES", 1, validate=validate.Range(0, 5)),
        }
