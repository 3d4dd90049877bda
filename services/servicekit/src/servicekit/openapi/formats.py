"""Formats of the contracts that no pattern can express portably."""

import unicodedata

_INVISIBLE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zs", "Zl", "Zp"))  # controls, formats, spaces
# other characters without a glyph (Unicode Standard, 5.21: default ignorable code points)
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180f\u2800\u3164\uffa0")
_VARIATION_SELECTORS = (*range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_INVISIBLE = _FILLERS | frozenset(map(chr, _VARIATION_SELECTORS))


def is_visible_text(text: str) -> bool:
    """Return whether a text has a character that is neither space, format nor control."""
    if text.isascii():
        return any(letter > " " and letter != "\x7f" for letter in text)
    return any(
        unicodedata.category(letter) not in _INVISIBLE_CATEGORIES and letter not in _INVISIBLE
        for letter in text
    )


# the format's name in a schema: the check and the reason of a rejection
FORMATS = {"visible-text": (is_visible_text, "must have a visible character")}
