"""Reads settings from a process's environment, and gathers all that is wrong with them."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Number = TypeVar("Number", int, float)

FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


class SettingsError(Exception):
    """Settings that are missing or bad; ``problems`` says what is wrong with each, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep what is wrong, and say it in one line a setting."""
        self.problems = problems
        lines = [f"  {name}: {problem}" for name, problem in sorted(problems.items())]
        super().__init__("\n".join(["these settings are missing or wrong:", *lines]))


class Environment:
    """Variables by their names.

    One that is missing or bad reads as something that stands for it, until ``seal`` tells of all
    of them. What it tells holds no text that was set, which may be a secret; a path is none.
    """

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        """Read from ``variables``."""
        self._variables = variables
        self._problems: dict[str, str] = {}

    def seal(self) -> None:
        """Raise ``SettingsError`` when anything that was read is missing or bad."""
        if self._problems:
            raise SettingsError(self._problems)

    def text(self, name: str, default: str | None = None, *, like: str = "", hint: str = "") -> str:
        """Return a text; one that is set matches the pattern ``like``, as the ``hint`` says."""
        value = self._variables.get(name)
        if value is None:
            if default is None:
                self._problems[name] = "It must be set."
            return default or ""
        if like and not re.fullmatch(like, value):
            self._problems[name] = hint
        return value

    def one_of(self, name: str, *choices: str) -> str:
        """Return one of the choices, of which the first is the default."""
        value = self._variables.get(name, choices[0])
        if value not in choices:
            self._problems[name] = f"It must be one of {', '.join(choices)}."
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return self._number(name, (int, "a whole number"), default, least, most)

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """Return a number within bounds."""
        return self._number(name, (float, "a number"), default, least, most)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether something is on."""
        value = self._variables.get(name)
        if value is None:
            return default
        if value.lower() not in FLAGS:
            self._problems[name] = "It must be true or false."
        return FLAGS.get(value.lower(), default)

    def file(self, name: str) -> Path:
        """Return the path of a file that is there."""
        return self._path(name, Path.is_file, "a file that can be read")

    def folder(self, name: str) -> Path:
        """Return the path of a folder that is there."""
        return self._path(name, Path.is_dir, "a folder")

    def url(self, name: str, default: str | None = None) -> str:
        """Return an HTTP or HTTPS URL without a slash at its end; it may be empty by default."""
        like = r"https?://.*" if default is None else r"(https?://.*)?"
        hint = "It must start with http:// or https://."
        return self.text(name, default, like=like, hint=hint).rstrip("/")

    def _path(self, name: str, fits: Callable[[Path], bool], what: str) -> Path:
        path = Path(self.text(name))
        if name not in self._problems and not fits(path):
            self._problems[name] = f"{path} is not {what}."
        return path

    def _number(
        self,
        name: str,
        kind: tuple[Callable[[str], Number], str],
        default: Number,
        least: Number,
        most: Number,
    ) -> Number:
        value = self._variables.get(name)
        if value is None:
            return default
        read, what = kind
        with suppress(ValueError):  # no number: it is told below
            number = read(value)
            if least <= number <= most:
                return number
        self._problems[name] = f"It must be {what} from {least} to {most}."
        return default
