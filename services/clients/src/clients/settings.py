"""What the clients service can be told."""

from dataclasses import dataclass
from typing import Any

from servicekit.environment import Environment
from servicekit.settings import PeerSettings


@dataclass(frozen=True)
class ClientsSettings(PeerSettings):
    """The settings of a peer, and where the inventory hears of deleted clients."""

    inventory_url: str

    @classmethod
    def read(cls, env: Environment) -> dict[str, Any]:
        """Return each field's value; problems are gathered in ``env``."""
        return super().read(env) | {"inventory_url": env.url("INVENTORY_URL")}
