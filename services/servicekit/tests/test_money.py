"""Amounts of money: exact values and bounds."""

from decimal import Decimal

import pytest

from servicekit.money import parse_money
from servicekit.problems import BadRequest


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (0, "0.00"),
        ("-0.00", "0.00"),
        (Decimal("0.10"), "0.10"),
        ("19.900", "19.90"),
        (7, "7.00"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_amount_has_two_decimal_places(given: int | str | Decimal, parsed: str) -> None:
    assert str(parse_money(given, "price")) == parsed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (-1, "at least 0"),
        ("-0.01", "at least 0"),
        (10_000_000_000, "below 10000000000"),
        ("9999999999.999", "two decimal places"),
        ("0.001", "two decimal places"),
    ],
)
def test_rejects_an_amount_out_of_bounds_and_names_the_field(
    given: int | str | Decimal, message: str
) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        parse_money(given, "price")
    assert [error["field"] for error in caught.value.errors] == ["price"]
