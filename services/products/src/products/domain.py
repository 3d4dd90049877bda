"""Products and their validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from servicekit.money import parse_money


@dataclass(frozen=True, slots=True)
class Product:
    """A product with a unique name."""

    COLUMNS: ClassVar = ("id", "name", "description", "quantity", "price", "status")

    name: str
    description: str
    quantity: int  # in stock
    price: Decimal
    status: bool  # on sale

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Parse a valid request body.

        Raises:
            BadRequest: a rule beyond the contract is violated; the problem names the field.

        """
        return cls(
            name=body["name"],
            description=body["description"],
            quantity=body["quantity"],
            price=parse_money(body["price"], "price"),
            status=body["status"],
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return the response body for a row with ``COLUMNS``."""
        identifier, name, description, quantity, price, status = row
        return {
            "id": identifier,
            "name": name,
            "description": description,
            "quantity": quantity,
            "price": price,
            "status": status,
        }
