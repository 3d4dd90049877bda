"""Strict and exact parsing of JSON bodies."""

from decimal import Decimal

import pytest

from servicekit.openapi.request_body import parse_json
from servicekit.openapi.schema_validator import SchemaValidator
from servicekit.problems import BadRequest, ValidationProblem


def test_numbers_stay_exact() -> None:
    assert parse_json(b'{"a": 0.1, "b": 12, "c": 1e2}') == {
        "a": Decimal("0.1"),
        "b": 12,
        "c": Decimal("1e2"),
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1} x',
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 0.' + b"9" * 5000 + b"}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'[["\\udfff"]]',
        b'{"a": 1, "a": 2}',
        "\ufeff{}".encode(),
        b'{"a": "\n"}',
    ],
)
def test_rejects_malformed_json(data: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_json(data)


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff"])
def test_names_a_byte_order_mark(mark: str) -> None:
    with pytest.raises(BadRequest, match="it starts with a byte order mark"):
        parse_json(f"{mark}{{}}".encode())


@pytest.mark.parametrize("number", ["3e0", "3E0", "0.3e1", "300e-2", "-0e0", "3.0", "3e2", "3e-2"])
def test_a_number_with_a_fraction_or_an_exponent_is_not_an_integer(number: str) -> None:
    """OpenAPI 3.0 defines integers so."""
    value = parse_json(number.encode())
    assert value == Decimal(number)
    with pytest.raises(ValidationProblem):
        SchemaValidator({"type": "integer"}).check(value)
    SchemaValidator({"type": "number"}).check(value)


def test_decodes_a_surrogate_pair() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"
