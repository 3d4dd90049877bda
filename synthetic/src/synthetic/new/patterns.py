"""Short texts that match a regular expression."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

# what the parser and the writer raise for a pattern beyond them, which is left to the user
UNWRITABLE = (
    *(re.error, ValueError, KeyError, AttributeError, ImportError),
    *(StopIteration, OverflowError, RecursionError),
)
MAX_LENGTH = 1000  # characters of a pattern, and of a text
PREFERRED = "aA0-_ .:/@"  # characters for a negated set


def matching_text(pattern: str, lengthen: int = 0) -> str | None:
    """Return a short text that matches a pattern, or None if it is beyond the simple ones.

    Each repetition is ``lengthen`` longer than it has to be, if the pattern allows it. A pattern
    with look-around or a character class of Unicode may get a text that does not match: the caller
    validates it by its schema.
    """
    if len(pattern) > MAX_LENGTH:
        return None
    try:
        # the standard library's own parser, which is private: without it, each pattern is left
        parser: Any = import_module("re._parser")
        text = _Writer(lengthen).write(parser.parse(pattern))
    except UNWRITABLE:
        return None
    return text if len(text) <= MAX_LENGTH else None


class _Writer:
    """Writes a text for each part of a parsed pattern."""

    def __init__(self, lengthen: int) -> None:
        self._lengthen = lengthen
        self._groups: dict[int, str] = {}
        self._writers: dict[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda code: next(c for c in PREFERRED if ord(c) != code),
            "ANY": lambda _: "a",
            "AT": lambda _: "",
            "IN": self._member,
            "BRANCH": lambda part: self.write(part[1][0]),
            "SUBPATTERN": self._group,
            "GROUPREF": lambda number: self._groups.get(number, ""),
            "MAX_REPEAT": self._repeated,
            "MIN_REPEAT": self._repeated,
            "ASSERT": lambda _: "",
            "ASSERT_NOT": lambda _: "",
        }

    def write(self, parts: Any) -> str:  # noqa: ANN401 - the parser has no types
        """Return a text; raise ``ValueError`` for what is not known."""
        texts = []
        for kind, argument in parts:
            writer = self._writers.get(str(kind))
            if writer is None:
                raise ValueError(str(kind))
            texts.append(str(writer(argument)))
        return "".join(texts)

    def _group(self, argument: Any) -> str:  # noqa: ANN401 - the parser has no types
        number, _, _, parts = argument
        text = self.write(parts)
        if number is not None:
            self._groups[number] = text
        return text

    def _repeated(self, argument: Any) -> str:  # noqa: ANN401 - the parser has no types
        least, most, parts = argument
        count: int = min(least + self._lengthen, int(most))
        text = self.write(parts)
        if len(text) * count > MAX_LENGTH:
            raise ValueError("the text is too long")
        return text * count

    @staticmethod
    def _member(choices: Any) -> str:  # noqa: ANN401 - the parser has no types
        if str(choices[0][0]) == "NEGATE":
            source = "".join(_text_of(kind, argument) for kind, argument in choices[1:])
            members = re.compile(f"[{source}]") if source else None
            return next(c for c in PREFERRED if members is None or not members.match(c))
        kind, argument = choices[0]
        if str(kind) == "LITERAL":
            return chr(argument)
        if str(kind) == "RANGE":
            return chr(argument[0])
        classes = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}
        return classes.get(str(argument), "-")


def _text_of(kind: Any, argument: Any) -> str:  # noqa: ANN401 - the parser has no types
    """Return a part of a set as it is written in one."""
    if str(kind) == "LITERAL":
        return re.escape(chr(argument))
    if str(kind) == "RANGE":
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    classes = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}
    name = str(argument).removeprefix("CATEGORY_")
    return classes.get(name) or classes[name.removeprefix("NOT_")].upper()
