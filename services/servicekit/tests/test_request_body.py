"""Strict and exact parsing of JSON bodies."""

from decimal import Decimal

import pytest

from servicekit.openapi.request_body import parse_json
from servicekit.problems import BadRequest


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


def test_decodes_a_surrogate_pair() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"
