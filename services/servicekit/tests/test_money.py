"""Money is exact, has two places, and has bounds that are told."""

from decimal import Decimal

import pytest

from servicekit.money import parse_money
from servicekit.problems import BadRequest


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (0, "0.00"),
        ("-0.00", "0.00"),
        (Decimal("0.10"), "0.10"),
        ("19.900", "19.90"),
        (7, "7.00"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_an_amount_has_two_places(given: int | str | Decimal, kept: str) -> None:
    assert str(parse_money(given, "price")) == kept


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (-1, "at least 0"),
        ("-0.01", "at least 0"),
        (10_000_000_000, "below 10000000000"),
        ("9999999999.999", "two decimal places"),
        ("0.001", "two decimal places"),
    ],
)
def test_an_amount_beyond_its_bounds_is_refused_by_its_field(
    given: int | str | Decimal, told: str
) -> None:
    with pytest.raises(BadRequest, match=told) as caught:
        parse_money(given, "price")
    assert [error["field"] for error in caught.value.errors] == ["price"]
