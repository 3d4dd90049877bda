"""What the personas of one process have made, and what must be true of it in the end."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Purchase:
    """One row of an inventory that was acknowledged."""

    id: int
    client_id: int
    items: int


@dataclass
class World:
    """The rows that personas share; a row in use is not removed by another persona."""

    run: str
    clients: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: list[int] = field(default_factory=list)
    drafts: list[int] = field(default_factory=list)  # products that nobody can buy yet
    purchases: dict[int, list[Purchase]] = field(default_factory=dict)
    _in_use: Counter[int] = field(default_factory=Counter)
    _bounds: dict[int, Bounds] = field(default_factory=dict)
    _changed: set[int] = field(default_factory=set)

    @contextmanager
    def client(self, client_id: int | None = None) -> Iterator[int]:
        """Lend a client, any one unless it is named."""
        if client_id is None:
            client_id = random.choice(list(self.clients))  # noqa: S311 - any client will do
        self._in_use[client_id] += 1
        try:
            yield client_id
        finally:
            self._in_use[client_id] -= 1

    def product(self) -> int:
        """Return any product that can be bought."""
        return random.choice(self.products)  # noqa: S311 - any product will do

    def take_client(self, keep: int) -> int | None:
        """Take out a client whom nobody uses, for good; ``keep`` so many."""
        free = [client_id for client_id in self.clients if not self._in_use[client_id]]
        if len(self.clients) <= keep or not free:
            return None
        client_id = random.choice(free)  # noqa: S311 - any client will do
        del self.clients[client_id]
        return client_id

    def take_purchase(self) -> Purchase | None:
        """Take out a purchase of a client who is still there."""
        owners = [c for c, bought in self.purchases.items() if bought and c in self.clients]
        if not owners:
            return None
        bought = self.purchases[random.choice(owners)]  # noqa: S311 - any owner will do
        return bought.pop(random.randrange(len(bought)))  # noqa: S311 - any purchase will do

    def bought(self, client_id: int, row: int, items: int) -> None:
        """Note a purchase that was acknowledged."""
        self.purchases.setdefault(client_id, []).append(Purchase(row, client_id, items))
        self._change(client_id, items, items)

    def maybe_bought(self, client_id: int, items: int) -> None:
        """Note a purchase of which nobody knows whether it was done."""
        self._change(client_id, 0, items)

    def taken_back(self, purchase: Purchase) -> None:
        """Note a removal that was acknowledged."""
        self._change(purchase.client_id, -purchase.items, -purchase.items)

    def maybe_taken_back(self, purchase: Purchase) -> None:
        """Note a removal of which nobody knows whether it was done."""
        self._change(purchase.client_id, -purchase.items, 0)

    def gone(self, client_id: int) -> None:
        """Note that a client was deleted: its inventory must be empty soon."""
        self.purchases.pop(client_id, None)
        self._bounds[client_id] = (0, 0)
        self._changed.add(client_id)

    def maybe_gone(self, client_id: int) -> None:
        """Note a deletion of which nobody knows whether it was done."""
        self.purchases.pop(client_id, None)
        self._bounds[client_id] = (0, self._bounds.get(client_id, (0, 0))[1])
        self._changed.add(client_id)

    def drain(self) -> dict[int, Bounds]:
        """Return the least and the most items to be listed, for each client of whom it changed."""
        changed, self._changed = self._changed, set()
        return {client_id: self._bounds[client_id] for client_id in changed}

    def _change(self, client_id: int, least: int, most: int) -> None:
        low, high = self._bounds.get(client_id, (0, 0))
        self._bounds[client_id] = (low + least, high + most)
        self._changed.add(client_id)
