"""Formats of the contracts."""

import pytest

from servicekit.openapi.formats import is_visible_text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\n",
        "\x7f",
        "\u00a0",
        "\u0085",
        "\u00ad",
        "\u200b\u200d",
        "\u2028",
        "\u3000 \u3000",
        "\ufeff",
        "\u202e",
        "\u2800",
        "\u3164\u115f\uffa0",
        "\ufe0f",
        "\U000e0001\U000e0061",
        "\U000e0100",
    ],
)
def test_a_text_of_spaces_formats_controls_and_fillers_is_not_visible(text: str) -> None:
    assert not is_visible_text(text)
    assert is_visible_text(f"{text}x")
    assert is_visible_text(f"\u5b57{text}")


@pytest.mark.parametrize("text", ["a", "!", "\u00e9", "\u0301", "\U0001f600", "\u0627\u200c"])
def test_a_text_with_a_letter_a_mark_or_a_symbol_is_visible(text: str) -> None:
    assert is_visible_text(text)
