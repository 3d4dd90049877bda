"""What a workload is told, and what every caller of it needs."""

import itertools
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.caller import Answer, Caller
from tests.chaos.history import Book, Outcome

stopping = threading.Event()


@dataclass(frozen=True)
class Task:
    """What a workload is told."""

    url: str  # of the ingress
    token: str
    book: Path
    product_id: int = 0
    user: tuple[str, str] = ("", "")
    bases: tuple[str, ...] = ()  # of the services themselves
    counter_id: int = 0  # a client whose balance counts
    clients: tuple[int, ...] = ()  # who are to go
    writers: int = 0
    version: str = ""


class Workload:
    """The callers of one task."""

    def __init__(self, task: Task) -> None:
        """Call whom the task names."""
        self.task = task
        self.book = Book(task.book)
        self._numbers = itertools.count()

    def noted(self, kind: str, element: object, answer: Answer) -> tuple[Outcome, Answer]:
        """Write an answer down, and return how it went."""
        return self.book.note(kind, element, answer).outcome, answer

    def caller(self) -> Caller:
        """Return a caller at the ingress."""
        return Caller(self.task.url, self.task.token)

    def unique(self) -> str:
        """Return what nobody else has."""
        return f"{os.getpid()}-{time.monotonic_ns()}-{next(self._numbers)}"

    def moment(self) -> str:
        """Return a date that no other purchase of this process has."""
        seconds, micros = divmod(next(self._numbers), 999_999)
        return f"2024-01-01T00:00:{seconds:02d}.{micros + 1:06d}+00:00"
