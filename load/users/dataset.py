"""Rows that the personas of one process created, and the inventories that must follow from them."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Purchase:
    """One acknowledged row of an inventory."""

    id: int
    client_id: int
    items: int


@dataclass
class Dataset:
    """The rows that personas share; no persona removes a client that another one is using."""

    run_id: str
    clients: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: list[int] = field(default_factory=list)
    drafts: list[int] = field(default_factory=list)  # products that are not for sale yet
    purchases: dict[int, list[Purchase]] = field(default_factory=dict)
    _in_use: Counter[int] = field(default_factory=Counter)
    _bounds: dict[int, Bounds] = field(default_factory=dict)
    _changed: set[int] = field(default_factory=set)

    @contextmanager
    def use_client(self, client_id: int | None = None) -> Iterator[int]:
        """Protect a client from removal, and yield its id; a random one by default."""
        if client_id is None:
            client_id = random.choice(list(self.clients))  # noqa: S311 - any client will do
        self._in_use[client_id] += 1
        try:
            yield client_id
        finally:
            self._in_use[client_id] -= 1

    def random_product(self) -> int:
        """Return the id of a product that is for sale."""
        return random.choice(self.products)  # noqa: S311 - any product will do

    def remove_unused_client(self, keep: int) -> int | None:
        """Remove a client that is not in use, and return its id; leave at least ``keep``."""
        unused = [client_id for client_id in self.clients if not self._in_use[client_id]]
        if len(self.clients) <= keep or not unused:
            return None
        client_id = random.choice(unused)  # noqa: S311 - any client will do
        del self.clients[client_id]
        return client_id

    def remove_purchase(self) -> Purchase | None:
        """Remove a random purchase of an existing client, and return it."""
        owners = [c for c, bought in self.purchases.items() if bought and c in self.clients]
        if not owners:
            return None
        bought = self.purchases[random.choice(owners)]  # noqa: S311 - any owner will do
        return bought.pop(random.randrange(len(bought)))  # noqa: S311 - any purchase will do

    def purchase_confirmed(self, client_id: int, row: int, items: int) -> None:
        """Record an acknowledged purchase."""
        self.purchases.setdefault(client_id, []).append(Purchase(row, client_id, items))
        self._change(client_id, items, items)

    def purchase_uncertain(self, client_id: int, items: int) -> None:
        """Record a purchase with an unknown result."""
        self._change(client_id, 0, items)

    def removal_confirmed(self, purchase: Purchase) -> None:
        """Record an acknowledged removal."""
        self._change(purchase.client_id, -purchase.items, -purchase.items)

    def removal_uncertain(self, purchase: Purchase) -> None:
        """Record a removal with an unknown result."""
        self._change(purchase.client_id, -purchase.items, 0)

    def deletion_confirmed(self, client_id: int) -> None:
        """Record the deletion of a client: its inventory must become empty."""
        self.purchases.pop(client_id, None)
        self._bounds[client_id] = (0, 0)
        self._changed.add(client_id)

    def deletion_uncertain(self, client_id: int) -> None:
        """Record the deletion of a client, with an unknown result."""
        self.purchases.pop(client_id, None)
        self._bounds[client_id] = (0, self._bounds.get(client_id, (0, 0))[1])
        self._changed.add(client_id)

    def drain(self) -> dict[int, Bounds]:
        """Return the minimum and maximum items of each client that changed since the last call."""
        changed, self._changed = self._changed, set()
        return {client_id: self._bounds[client_id] for client_id in changed}

    def _change(self, client_id: int, least: int, most: int) -> None:
        low, high = self._bounds.get(client_id, (0, 0))
        self._bounds[client_id] = (low + least, high + most)
        self._changed.add(client_id)
