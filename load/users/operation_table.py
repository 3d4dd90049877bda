"""The operations that personas call, by their operationId in the contracts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """Method, path and status of success of an operation."""

    method: str
    path: str  # an id is written as [id]
    status: int = 200

    @property
    def name(self) -> str:
        """The name in statistics, the same for all ids."""
        return f"{self.method} {self.path}"

    def url_path(self, number: int | None = None) -> str:
        """Return the path for an id."""
        return self.path if number is None else self.path.replace("[id]", str(number))


OPERATIONS = {
    "users.login": Operation("POST", "/users/login"),
    "users.health": Operation("GET", "/users/health"),
    "clients.create": Operation("POST", "/clients/create", 201),
    "clients.fetch": Operation("GET", "/clients/fetch/[id]"),
    "clients.list_all": Operation("GET", "/clients/fetch"),
    "clients.update": Operation("PUT", "/clients/update/[id]"),
    "clients.delete": Operation("DELETE", "/clients/delete/[id]"),
    "clients.exists": Operation("GET", "/clients/exists/[id]"),
    "clients.health": Operation("GET", "/clients/health"),
    "addresses.create": Operation("POST", "/address/create", 201),
    "addresses.list_of_client": Operation("GET", "/address/fetch/[id]"),
    "addresses.list_all": Operation("GET", "/address/fetch"),
    "products.create": Operation("POST", "/products/create", 201),
    "products.fetch": Operation("GET", "/products/fetch/[id]"),
    "products.list_all": Operation("GET", "/products/fetch"),
    "products.update": Operation("PUT", "/products/update/[id]"),
    "products.delete": Operation("DELETE", "/products/delete/[id]"),
    "products.exists": Operation("GET", "/products/exists/[id]"),
    "products.health": Operation("GET", "/products/health"),
    "inventory.add_product": Operation("POST", "/inventory/add_product", 201),
    "inventory.list_products": Operation("GET", "/inventory/list_products_ids/[id]"),
    "inventory.remove_product": Operation("DELETE", "/inventory/remove_product/[id]"),
    "inventory.health": Operation("GET", "/inventory/health"),
}
