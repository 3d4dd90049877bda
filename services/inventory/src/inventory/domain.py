"""What an entry of an inventory is, and the rules that hold for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

from servicekit.problems import BadRequest, NotFound

Kind = Literal["client", "product"]  # what an entry is about, and goes with


@dataclass(frozen=True, slots=True)
class Item:
    """A client's purchase of some items of one product."""

    STORED: ClassVar = ("id", "product_id", "product_name", "number_of_items", "purchase_date")

    client_id: int
    product_id: int
    number_of_items: int
    purchase_date: datetime  # in UTC

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Return the entry that a request describes.

        Raises:
            BadRequest: a rule is broken that the contract cannot tell; it names the field.

        """
        return cls(
            client_id=body["client_id"],
            product_id=body["product_id"],
            number_of_items=body["number_of_items"],
            purchase_date=parse_purchase_date(body["purchase_date"]),
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return an entry, its ``STORED`` columns, as it is answered."""
        identifier, product_id, product_name, number_of_items, purchase_date = row
        return {
            "id": identifier,
            "product_id": product_id,
            "product_name": product_name,
            "number_of_items": number_of_items,
            "purchase_date": format_purchase_date(purchase_date),
        }


def parse_purchase_date(text: str) -> datetime:
    """Return a moment (ISO 8601) in UTC, which it is in when it names no offset.

    Raises:
        BadRequest: the calendar or the clock has no such moment.

    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "must be a date and a time that exist, like 2024-11-01T10:30:00"
        raise BadRequest(msg, field="purchase_date") from None


def format_purchase_date(moment: datetime) -> str:
    """Return a moment as it is answered: in UTC, ``2024-11-01T10:30:00+00:00`` (RFC 3339).

    Six decimals of a second are there when they are not all zero.
    """
    return moment.astimezone(UTC).isoformat()


def raise_missing(kinds: Iterable[str]) -> None:
    """Raise ``NotFound`` with every field whose id does not exist, if there is any."""
    faults = [{"field": f"{k}_id", "reason": f"There is no such {k}"} for k in sorted(kinds)]
    if faults:
        problem = NotFound(faults[0]["reason"])
        problem.errors = faults
        raise problem
