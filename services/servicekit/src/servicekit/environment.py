"""Reader for environment variables that collects all problems before it raises."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Number = TypeVar("Number", int, float)

BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


class SettingsError(Exception):
    """Settings are missing or invalid; ``problems`` has a sentence for each, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Format the problems, one line for each setting."""
        self.problems = problems
        lines = [f"  {name}: {problem}" for name, problem in sorted(problems.items())]
        super().__init__("\n".join(["these settings are missing or wrong:", *lines]))


class Environment:
    """Typed access to environment variables.

    A missing or invalid variable reads as a placeholder until ``raise_problems`` reports all of
    them. Messages quote no values, which may be secrets, except for paths.
    """

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        """Read from ``variables``."""
        self._variables = variables
        self._problems: dict[str, str] = {}

    def raise_problems(self) -> None:
        """Raise ``SettingsError`` if any variable that was read is missing or invalid."""
        if self._problems:
            raise SettingsError(self._problems)

    def reject(self, name: str, problem: str) -> None:
        """Report a variable that is invalid beyond its type, unless it has a problem already."""
        self._problems.setdefault(name, problem)

    def text(
        self, name: str, default: str | None = None, *, pattern: str = "", message: str = ""
    ) -> str:
        """Return a text; report ``message`` if a set value does not match ``pattern``."""
        value = self._value(name)
        if value is None:
            if default is None:
                self._problems[name] = "It must be set."
            return default or ""
        if pattern and not re.fullmatch(pattern, value):
            self._problems[name] = message
        return value

    def choice(self, name: str, *choices: str) -> str:
        """Return one of the choices; the first is the default."""
        value = self._value(name)
        if value is None:
            return choices[0]
        if value not in choices:
            self._problems[name] = f"It must be one of {', '.join(choices)}."
        return value

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Return an integer within bounds."""
        return self._number(name, (int, "a whole number"), default, minimum, maximum)

    def number(self, name: str, default: float, minimum: float, maximum: float) -> float:
        """Return a number within bounds."""
        return self._number(name, (float, "a number"), default, minimum, maximum)

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self._value(name)
        if value is None:
            return default
        if value.lower() not in BOOLEANS:
            self._problems[name] = "It must be true or false."
        return BOOLEANS.get(value.lower(), default)

    def file(self, name: str) -> Path:
        """Return the path of an existing file."""
        return self._path(name, Path.is_file, "a file that can be read")

    def folder(self, name: str) -> Path:
        """Return the path of an existing folder."""
        return self._path(name, Path.is_dir, "a folder")

    def url(self, name: str, default: str | None = None) -> str:
        """Return an HTTP or HTTPS URL without trailing slashes; it may be empty if optional."""
        pattern = r"https?://.*" if default is None else r"(https?://.*)?"
        message = "It must start with http:// or https://."
        return self.text(name, default, pattern=pattern, message=message).rstrip("/")

    def _value(self, name: str) -> str | None:
        """Return a variable without the parts of its file, such as a Secret's.

        The file may begin with a byte order mark, and end in a newline.
        """
        value = self._variables.get(name)
        return None if value is None else value.removeprefix("\ufeff").strip()

    def _path(self, name: str, is_valid: Callable[[Path], bool], kind: str) -> Path:
        path = Path(self.text(name))
        if name not in self._problems and not is_valid(path):
            self._problems[name] = f"{path} is not {kind}."
        return path

    def _number(
        self,
        name: str,
        kind: tuple[Callable[[str], Number], str],
        default: Number,
        minimum: Number,
        maximum: Number,
    ) -> Number:
        value = self._value(name)
        if value is None:
            return default
        parse, label = kind
        with suppress(ValueError):
            number = parse(value)
            if minimum <= number <= maximum:
                return number
        self._problems[name] = f"It must be {label} from {minimum} to {maximum}."
        return default
