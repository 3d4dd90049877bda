"""What the inventory service can be told."""

from dataclasses import dataclass
from typing import Any

from environs import Env

from servicekit.settings import PeerSettings, url


@dataclass(frozen=True)
class InventorySettings(PeerSettings):
    """The settings of a peer, and where the owners of clients and products are."""

    clients_url: str
    products_url: str

    @classmethod
    def read(cls, env: Env) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {
            "clients_url": url(env, "CLIENTS_URL"),
            "products_url": url(env, "PRODUCTS_URL"),
        }
