"""After the load: is everything listed that was bought, and no more; then all of it is deleted."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from load.users.dataset import Bounds
from load.users.token_provider import Access

PATIENCE = 15.0  # seconds until a deleted client's inventory must be empty
BUSY = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)
PAUSE = 0.2  # seconds between two looks
EVERY = 2.0  # seconds between two lines of progress
PAGE = 1000
T = TypeVar("T")
GONE = (httpx.codes.OK, httpx.codes.NOT_FOUND)


@dataclass
class Consistency:
    """What was bought, by what was acknowledged, and what is listed."""

    clients: int = 0
    least: int = 0  # items that must be listed
    most: int = 0  # items that may be, for the calls whose end nobody knows
    listed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether every client's inventory is what it must be."""
        return not self.wrong


class Aftermath:
    """The system, seen by the one who looks after the load."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Look at the system at ``url``, in the realm of the load."""
        self._access = Access(url, secret_file)
        self._http = httpx.Client(base_url=url, timeout=20)

    def verify(self, bounds: Mapping[int, Bounds]) -> Consistency:
        """Compare each client's inventory with what was bought."""
        seen = Consistency(clients=len(bounds))
        for client_id, (low, most) in shown("comparing inventories", bounds.items()):
            least = max(0, low)
            listed = self._listed_within(client_id, least, most)
            seen.least, seen.most = seen.least + least, seen.most + most
            seen.listed += listed
            if not least <= listed <= most:
                bought = f"{least}" if least == most else f"{least} to {most}"
                seen.wrong.append(f"client {client_id} bought {bought}, and {listed} are listed")
        return seen

    def clean(self, run: str) -> int:
        """Delete what a run has made, also one that was killed; return how many rows that were."""
        clients = [
            f"/clients/delete/{row['id']}"
            for row in self._rows("/clients/fetch")
            if str(row["email"]).endswith(f"@{run}.test")
        ]
        products = [
            f"/products/delete/{row['id']}"
            for row in self._rows("/products/fetch")
            if f" {run} " in str(row["name"])
        ]
        for path in shown("deleting", clients + products):
            answer = self._patiently("DELETE", path)
            if answer.status_code not in GONE:
                answer.raise_for_status()
        return len(clients) + len(products)

    def _listed_within(self, client_id: int, least: int, most: int) -> int:
        """Return what is listed, when it is right or will not become so any more."""
        deadline = time.monotonic() + PATIENCE
        while True:
            rows = self._rows(f"/inventory/list_products_ids/{client_id}")
            listed = sum(int(str(row["number_of_items"])) for row in rows)
            if least <= listed <= most or time.monotonic() > deadline:
                return listed
            time.sleep(PAUSE)

    def _rows(self, path: str) -> Iterator[dict[str, object]]:
        following = f"{path}?limit={PAGE}"
        while following:
            answer = self._patiently("GET", following)
            answer.raise_for_status()
            yield from answer.json()
            following = answer.links.get("next", {}).get("url", "")

    def _patiently(self, method: str, path: str) -> httpx.Response:
        """Ask again while a system that was under load is busy yet."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                headers = {"Authorization": f"Bearer {self._access.token()}"}
                answer = self._http.request(method, path, headers=headers)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                if answer.status_code not in BUSY or time.monotonic() > deadline:
                    return answer
            time.sleep(PAUSE)


def shown(what: str, items: Iterable[T]) -> Iterator[T]:
    """Pass items on, and write a line of progress every now and then."""
    everything = list(items)
    told = time.monotonic()
    for number, item in enumerate(everything):
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            sys.stderr.write(f"load: {what}, {number} of {len(everything)}\n")
            sys.stderr.flush()
        yield item
