"""What a product is, and the rules that hold for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from servicekit.money import parse_money


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold; its name is its own."""

    STORED: ClassVar = ("id", "name", "description", "quantity", "price", "status")

    name: str
    description: str
    quantity: int  # in stock
    price: Decimal
    status: bool  # whether it is on sale

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Return the product that a request describes.

        Raises:
            BadRequest: a rule is broken that the contract cannot tell; it names the field.

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
        """Return a product, its ``STORED`` columns, as it is answered."""
        identifier, name, description, quantity, price, status = row
        return {
            "id": identifier,
            "name": name,
            "description": description,
            "quantity": quantity,
            "price": price,
            "status": status,
        }
