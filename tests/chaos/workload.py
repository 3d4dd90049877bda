"""Configuration and base class of the workloads."""

import itertools
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.history import HistoryLog, Outcome
from tests.support.accounts import User
from tests.support.http_caller import HttpCaller, Response

stopping = threading.Event()


@dataclass(frozen=True)
class WorkloadConfig:
    """The settings of a workload, passed to its process as JSON."""

    url: str  # of the ingress
    token: str
    history: Path
    product_id: int = 0
    user: User = ("", "")
    service_urls: tuple[str, ...] = ()
    counter_id: int = 0  # the client with the counter as its balance
    clients: tuple[int, ...] = ()  # to delete
    writers: int = 0
    etag: str = ""


class Workload:
    """Callers that share a configuration and a history log."""

    def __init__(self, config: WorkloadConfig) -> None:
        """Append to the history log of the configuration."""
        self.config = config
        self.history = HistoryLog(config.history)
        self._numbers = itertools.count()

    def record(self, kind: str, element: object, response: Response) -> tuple[Outcome, Response]:
        """Record a response, and return its outcome with it."""
        return self.history.record(kind, element, response).outcome, response

    def caller(self) -> HttpCaller:
        """Return a caller of the ingress."""
        return HttpCaller(self.config.url, self.config.token)

    def unique(self) -> str:
        """Return a string that is unique among all processes."""
        return f"{os.getpid()}-{time.monotonic_ns()}-{next(self._numbers)}"

    def unique_date(self) -> str:
        """Return a date that no other purchase of this process has."""
        seconds, micros = divmod(next(self._numbers), 999_999)
        return f"2024-01-01T00:00:{seconds:02d}.{micros + 1:06d}+00:00"
