"""What the products service can be told."""

from dataclasses import dataclass
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import PeerSettings


@dataclass(frozen=True)
class ProductsSettings(PeerSettings):
    """The settings of a peer, and where the inventory hears of deleted products."""

    inventory_url: str

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {"inventory_url": env.url("INVENTORY_URL")}
