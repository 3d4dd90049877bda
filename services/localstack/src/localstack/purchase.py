"""One purchase, replayed through the port that users call; it leaves nothing behind."""

import secrets
import time
from collections.abc import Mapping

import httpx
from validate_docbr import CPF

PATIENCE = 10.0  # seconds until a deleted client's inventory must be empty
PAUSE = 0.05  # seconds between two looks


class PurchaseError(Exception):
    """A step of the purchase did not go as it must; the message tells which, and what came."""


class Purchase:
    """A user, a client with an address, a product, and what the client bought."""

    def __init__(self, url: str) -> None:
        """Call the system at ``url``."""
        self._client = httpx.Client(base_url=url, timeout=10)
        self._unique = secrets.token_hex(6)

    def replay(self) -> float:
        """Buy, look, delete the client; return how long its inventory took to empty, in seconds.

        Raises:
            PurchaseError: a step failed.

        """
        with self._client:
            self._log_in()
            client_id, product_id = self._prepare()
            try:
                self._buy(client_id, product_id)
                return self._delete(client_id)
            finally:
                self._client.delete(f"/products/delete/{product_id}")

    def _log_in(self) -> None:
        name, password = f"purchase-{self._unique}", secrets.token_urlsafe(16)
        self._step(201, "POST", "/users/create", {"username": name, "password": password})
        answer = self._client.post("/users/login", auth=(name, password))
        if answer.status_code != httpx.codes.OK:
            raise _unexpected("POST /users/login", 200, answer)
        self._client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def _prepare(self) -> tuple[int, int]:
        client = {
            "name": "Arthur",
            "email": f"arthur-{self._unique}@example.invalid",
            "cpf": CPF().generate(mask=True),
            "balance": 30.25,
        }
        client_id = int(self._step(201, "POST", "/clients/create", client)["id"])
        address = {
            "client_id": client_id,
            "state": "SP",
            "city": "Andradina",
            "street": "Bandeirantes",
            "number": 100,
            "CEP": "16900-000",
        }
        self._step(201, "POST", "/address/create", address)
        product = {
            "name": f"Monitor {self._unique}",
            "description": "27 polegadas",
            "quantity": 500,
            "price": 100.00,
            "status": True,
        }
        return client_id, int(self._step(201, "POST", "/products/create", product)["id"])

    def _buy(self, client_id: int, product_id: int) -> None:
        bought = {
            "client_id": client_id,
            "product_id": product_id,
            "number_of_items": 5,
            "purchase_date": "2024-11-01T10:30:00",
        }
        self._step(201, "POST", "/inventory/add_product", bought)
        listed = self._inventory(client_id)
        if [item["product_id"] for item in listed] != [product_id]:
            message = f"the inventory of client {client_id} lists {listed}"
            raise PurchaseError(message)

    def _delete(self, client_id: int) -> float:
        self._step(200, "DELETE", f"/clients/delete/{client_id}")
        deleted = time.monotonic()
        while self._inventory(client_id):
            if time.monotonic() - deleted > PATIENCE:
                message = f"the inventory of client {client_id}, who was deleted, is not empty"
                raise PurchaseError(message)
            time.sleep(PAUSE)
        return time.monotonic() - deleted

    def _inventory(self, client_id: int) -> list[dict[str, object]]:
        path = f"/inventory/list_products_ids/{client_id}"
        answer = self._client.get(path)
        if answer.status_code != httpx.codes.OK:
            raise _unexpected(f"GET {path}", 200, answer)
        items: list[dict[str, object]] = answer.json()
        return items

    def _step(
        self, status: int, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, str]:
        answer = self._client.request(method, path, json=body)
        if answer.status_code != status:
            raise _unexpected(f"{method} {path}", status, answer)
        document: dict[str, str] = answer.json()
        return document


def _unexpected(step: str, wanted: int, answer: httpx.Response) -> PurchaseError:
    message = f"{step} answered {answer.status_code} instead of {wanted}: {answer.text[:300]}"
    return PurchaseError(message)
