"""The table of `make redteam`: a row for each attack."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The options of a run."""

    rounds: int  # of each attack that ends at a random moment
    seed: int
    words: tuple[str, ...] = ("",)  # an attack is made if its name has one of them


@dataclass(frozen=True)
class Row:
    """The result of one attack."""

    attack: str
    result: str  # what was counted
    error: str = ""  # empty if the system withstood

    def __str__(self) -> str:
        """Return the line of the table."""
        status = "BROKEN" if self.error else "ok"
        return f"{status:8}{self.attack:34}{self.result}  {self.error}".rstrip()


class SkippedPartError(Exception):
    """A part cannot run on this machine; the message has the reason."""


Part = Callable[[Plan], Iterator[Row]]
"""Yields the rows of a part; raises ``SkippedPartError``."""
