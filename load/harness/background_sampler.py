"""Base class of samplers that run on a thread while the load runs."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class BackgroundSampler(ABC):
    """Samples on a thread within its ``with`` block."""

    def __init__(self) -> None:
        """Prepare the thread; ``with`` starts it."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop sampling, and wait for the thread."""
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Sample repeatedly until ``_stop`` is set."""
