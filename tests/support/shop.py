"""A user of a release, who reads back what it has stored."""

from typing import Any, Self
from uuid import uuid4

import httpx
from validate_docbr import CPF

TIMEOUT_SECONDS = 30.0


class Shop:
    """The API of a release, with the token of a user; a context manager."""

    def __init__(self, url: str, host: str = "", user: tuple[str, str] | None = None) -> None:
        """Log in as a user, or as a new one; ``host`` selects an Ingress of the controller."""
        headers = {"Host": host} if host else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS)
        self.user = user or (f"loja-{uuid4().hex[:8]}", f"Senha-{uuid4().hex}")
        if user is None:
            name, password = self.user
            self._post("/users/create", {"username": name, "password": password})
        login = self._http.post("/users/login", auth=self.user).raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {login.json()['token']}"

    def __enter__(self) -> Self:
        """Return the shop."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def create_client(self) -> int:
        """Create a client, and return its id."""
        email = f"{uuid4().hex}@example.com"
        cpf = CPF().generate(mask=True)
        body = {"name": "Ana", "email": email, "cpf": cpf, "balance": 30.25}
        return int(self._post("/clients/create", body)["id"])

    def create_product(self, quantity: int) -> int:
        """Create a product, and return its id."""
        body = {"name": uuid4().hex, "description": "", "price": 1, "status": True}
        return int(self._post("/products/create", {**body, "quantity": quantity})["id"])

    def buy(self, client_id: int, product_id: int, count: int) -> None:
        """Add a product to the inventory of a client."""
        body = {"client_id": client_id, "product_id": product_id, "number_of_items": count}
        self._post("/inventory/add_product", {**body, "purchase_date": "2026-01-01T00:00:00"})

    def delete_client(self, client_id: int) -> None:
        """Delete a client."""
        self._http.delete(f"/clients/delete/{client_id}").raise_for_status()

    def has_client(self, client_id: int) -> bool:
        """Return whether a client exists."""
        status = self._http.get(f"/clients/fetch/{client_id}").status_code
        return httpx.codes.is_success(status)

    def is_available(self, client_id: int) -> bool:
        """Return whether the products and the purchases of a client can be read."""
        paths = ("/products/fetch", f"/inventory/list_products_ids/{client_id}")
        return all(httpx.codes.is_success(self._http.get(path).status_code) for path in paths)

    def product(self, product_id: int) -> dict[str, Any]:
        """Return a product."""
        found: dict[str, Any] = self._get(f"/products/fetch/{product_id}")
        return found

    def purchases(self, client_id: int) -> list[tuple[int, int]]:
        """Return product and number of each purchase of a client."""
        entries = self._get(f"/inventory/list_products_ids/{client_id}")
        return [(entry["product_id"], entry["number_of_items"]) for entry in entries]

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._http.post(path, json=body).raise_for_status().json()
        return found
