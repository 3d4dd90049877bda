"""Somebody who looks on, on a thread, while something else is done."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Lookout(ABC):
    """Watches until the end of its ``with`` block."""

    def __init__(self) -> None:
        """Be ready to begin."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _watch(self) -> None:
        """Look again and again until ``_stop`` is set."""
