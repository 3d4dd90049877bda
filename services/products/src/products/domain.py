"""What a product is, and the rules that hold for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from servicekit.money import parse_money


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold; its name is its own."""

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
    def to_body(row: Mapping[Any, Any]) -> dict[str, Any]:
        """Return a stored product as it is answered."""
        return {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "quantity": row["quantity"],
            "price": row["price"],
            "status": row["status"],
        }
