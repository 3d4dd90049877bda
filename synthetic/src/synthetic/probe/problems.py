"""Mistakes in a document, each with its place and the remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from synthetic.probe.results import ProbeError
from synthetic.probe.yaml_document import Location, YamlDocument

MAX_PROBLEMS = 100  # of one scope: the rest follows from the first ones
MAX_VALUE = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake; ``message`` has the cause, and the remedy unless it is obvious."""

    file: str
    line: int
    column: int
    message: str
    is_warning: bool = False  # the workflow can run, and may not do what was meant

    def __str__(self) -> str:
        """Return the problem in one line."""
        kind = "warning: " if self.is_warning else ""
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message}"


class Problems:
    """The problems of one part of a document, such as a workflow."""

    def __init__(self, document: YamlDocument) -> None:
        """Start without problems."""
        self.found: list[Problem] = []
        self._document = document

    def add(self, location: Location, message: str, *, is_warning: bool = False) -> None:
        """Record a problem at a place of the document."""
        if len(self.found) < MAX_PROBLEMS:
            line, column = self._document.place(location)
            name = self._document.path.name
            self.found.append(Problem(name, line, column, message, is_warning))

    def __iadd__(self, others: Self) -> Self:
        """Include the problems of another part."""
        self.found += others.found
        return self


def has_mistakes(problems: Iterable[Problem]) -> bool:
    """Return whether there are problems other than warnings."""
    return any(not problem.is_warning for problem in problems)


def raise_first(problems: list[Problem]) -> None:
    """Raise a ``ProbeError`` with the first of some problems, and the number of the others."""
    if problems:
        others = len(set(problems)) - 1
        count = f" (and {others} more)" if others else ""
        raise ProbeError(f"{problems[0]}{count}")


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the question whether a similar name is meant, or nothing without one.

    ``cutoff`` is the least ratio of difflib, from 0 to 1.
    """
    import difflib  # noqa: PLC0415 - only mistakes need it

    names = list(names)
    alike = [known for known in names if known.lower() == name.lower()]
    likely = alike or difflib.get_close_matches(name, names, 1, cutoff)
    return f"did you mean {likely[0]}?" if likely else ""


def quoted(value: object) -> str:
    """Return a value for a message, shortened."""
    text = str(value)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."
