"""Exact amounts of money: two decimal places, from 0 to below ten billion."""

from decimal import Decimal
from typing import Final

from servicekit.problems import BadRequest

CENT: Final = Decimal("0.01")
LIMIT: Final = Decimal(10_000_000_000)


def parse_money(value: int | str | Decimal, field: str) -> Decimal:
    """Return a JSON number or a decimal string as an amount with two decimal places.

    Raises:
        BadRequest: it is negative, too large, or has a non-zero third decimal place.

    """
    amount = Decimal(value)
    if not 0 <= amount < LIMIT:
        raise BadRequest("must be at least 0 and below 10000000000", field=field)
    rounded = amount.quantize(CENT)
    if rounded != amount:
        raise BadRequest("must not have more than two decimal places", field=field)
    return rounded + 0  # turns -0.00 into 0.00
