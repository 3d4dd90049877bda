"""Settings of the inventory service."""

from dataclasses import dataclass
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import PeerSettings


@dataclass(frozen=True)
class InventorySettings(PeerSettings):
    """The common settings, and the URLs of the owners of clients and products."""

    clients_url: str
    products_url: str

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            "clients_url": env.url("CLIENTS_URL"),
            "products_url": env.url("PRODUCTS_URL"),
        }
