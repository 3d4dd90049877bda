"""Settings of the products service."""

from dataclasses import dataclass
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import PeerSettings


@dataclass(frozen=True)
class ProductsSettings(PeerSettings):
    """The common settings, and the URL of the inventory, which receives deletions."""

    inventory_url: str

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {"inventory_url": env.url("INVENTORY_URL")}
