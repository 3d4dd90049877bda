"""Verification after a load: each inventory lists what was purchased, and no more."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from load.harness.progress import with_progress
from load.harness.system_client import SystemClient
from load.users.dataset import Bounds

CONVERGENCE_SECONDS = 15.0  # until a deleted client's inventory must be empty
POLL_INTERVAL_SECONDS = 0.2


@dataclass
class Consistency:
    """Items that acknowledged calls purchased, and items that inventories list."""

    clients: int = 0
    least: int = 0  # items that must be listed
    most: int = 0  # as ``least``, and the items of calls without a definite result
    listed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_consistent(self) -> bool:
        """True where every client's inventory is within its bounds."""
        return not self.wrong


def verify_inventories(system: SystemClient, bounds: Mapping[int, Bounds]) -> Consistency:
    """Compare each client's inventory with what was purchased."""
    result = Consistency(clients=len(bounds))
    for client_id, (low, most) in with_progress("comparing inventories", bounds.items()):
        least = max(0, low)
        listed = _listed_items(system, client_id, least, most)
        result.least, result.most = result.least + least, result.most + most
        result.listed += listed
        if not least <= listed <= most:
            bought = f"{least}" if least == most else f"{least} to {most}"
            result.wrong.append(f"client {client_id} bought {bought}, and {listed} are listed")
    return result


def _listed_items(system: SystemClient, client_id: int, least: int, most: int) -> int:
    """Return the number of listed items; wait some seconds until it is within the bounds."""
    deadline = time.monotonic() + CONVERGENCE_SECONDS
    while True:
        rows = system.rows(f"/inventory/list_products_ids/{client_id}")
        listed = sum(int(str(row["number_of_items"])) for row in rows)
        if least <= listed <= most or time.monotonic() > deadline:
            return listed
        time.sleep(POLL_INTERVAL_SECONDS)
