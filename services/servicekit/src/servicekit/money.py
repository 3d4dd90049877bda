"""Money: exact from end to end, two places, never negative, below ten billion."""

from decimal import Decimal
from typing import Final

from servicekit.problems import BadRequest

CENT: Final = Decimal("0.01")
LIMIT: Final = Decimal(10_000_000_000)


def parse_money(value: int | str | Decimal, field: str) -> Decimal:
    """Return the amount that came as a JSON number or a decimal string, with two places.

    Raises:
        BadRequest: it is negative, too large, or has a third place that is not zero.

    """
    amount = Decimal(value)
    if not 0 <= amount < LIMIT:
        msg = "must be at least 0 and below 10000000000"
        raise BadRequest(msg, field=field)
    rounded = amount.quantize(CENT)
    if rounded != amount:
        msg = "must not have more than two decimal places"
        raise BadRequest(msg, field=field)
    return rounded + 0  # -0.00 is 0.00
