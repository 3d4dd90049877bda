"""Inventory entries and their validation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Self

from servicekit.problems import BadRequest, NotFound

_SECONDS = slice(17, 19)  # of a text that matches the contract
_LEAP_MINUTE = (23, 59)  # the last one of a day

Kind = Literal["client", "product"]  # of an owner of entries


@dataclass(frozen=True, slots=True)
class Item:
    """A purchase of a product by a client."""

    COLUMNS: ClassVar = ("id", "product_id", "product_name", "number_of_items", "purchase_date")

    client_id: int
    product_id: int
    number_of_items: int
    purchase_date: datetime  # in UTC

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Parse a valid request body.

        Raises:
            BadRequest: a rule beyond the contract is violated; the problem names the field.

        """
        return cls(
            client_id=body["client_id"],
            product_id=body["product_id"],
            number_of_items=body["number_of_items"],
            purchase_date=parse_purchase_date(body["purchase_date"]),
        )

    @staticmethod
    def to_body(row: Sequence[Any]) -> dict[str, Any]:
        """Return the response body for a row with ``COLUMNS``."""
        identifier, product_id, product_name, number_of_items, purchase_date = row
        return {
            "id": identifier,
            "product_id": product_id,
            "product_name": product_name,
            "number_of_items": number_of_items,
            "purchase_date": format_purchase_date(purchase_date),
        }


def parse_purchase_date(text: str) -> datetime:
    """Parse an ISO 8601 time (RFC 3339, 5.6) and convert it to UTC, the default time zone.

    Digits beyond microseconds are dropped. A leap second becomes the second after it, as in
    PostgreSQL.

    Raises:
        BadRequest: the date or the time does not exist.

    """
    try:
        if text[_SECONDS] == "60":
            return _parse_utc(f"{text[: _SECONDS.start]}59{text[_SECONDS.stop :]}", is_leap=True)
        return _parse_utc(text)
    except (ValueError, OverflowError):
        raise BadRequest(
            "must be a date and a time that exist, like 2024-11-01T10:30:00", field="purchase_date"
        ) from None


def _parse_utc(text: str, *, is_leap: bool = False) -> datetime:
    """Parse a time; raise ``ValueError`` for a leap second that does not end a day in UTC."""
    moment = datetime.fromisoformat(text.upper())
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not is_leap:
        return moment
    if (moment.hour, moment.minute) != _LEAP_MINUTE:
        raise ValueError(text)
    return moment + timedelta(seconds=1)


def format_purchase_date(moment: datetime) -> str:
    """Format a time in UTC as ``2024-11-01T10:30:00+00:00`` (RFC 3339).

    Microseconds are included unless they are zero.
    """
    return moment.astimezone(UTC).isoformat()


def raise_missing(kinds: Iterable[str]) -> None:
    """Raise ``NotFound`` with an error for each kind, if there is any."""
    errors = [{"field": f"{k}_id", "reason": f"There is no such {k}"} for k in sorted(kinds)]
    if errors:
        problem = NotFound(errors[0]["reason"])
        problem.errors = errors
        raise problem
