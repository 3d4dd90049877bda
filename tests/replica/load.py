"""Callers that write, read their writes back, and count what fails."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from benchmarks.testbed.client_data import FIRST_NEW, cpf
from tests.support.accounts import new_client
from tests.support.http_caller import HttpCaller, Response

PAGE_SIZE = 20


@dataclass
class Phase:
    """The calls of one phase."""

    name: str
    calls: int = 0
    failed: int = 0  # without a successful response
    stale: int = 0  # reads that lacked an acknowledged write
    slowest: float = 0.0  # seconds


@dataclass(frozen=True)
class Load:
    """Threads with two connections each: a write and its read reach any two workers."""

    url: str
    token: str
    callers: int
    reads: int  # of each write
    written: dict[int, int] = field(default_factory=dict)  # acknowledged version by id
    phases: list[Phase] = field(default_factory=list)
    failures: Counter[int] = field(default_factory=Counter)  # by status; 0 without a response
    # of CPFs: random ones collide within minutes
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_NEW))
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Call during the block; raise the error of a caller that crashed."""
        crashes: list[BaseException] = []

        def call() -> None:
            try:
                self._call()
            except BaseException as crash:  # noqa: BLE001 - the block's thread raises it
                crashes.append(crash)

        threads = [threading.Thread(target=call) for _ in range(self.callers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
        for crash in crashes:
            raise crash

    def _call(self) -> None:
        with ExitStack() as open_callers:
            writer, reader = (
                open_callers.enter_context(HttpCaller(self.url, self.token)) for _ in range(2)
            )
            while not self._stopping.is_set():
                body = new_client("Ana", "replica", cpf(next(self._numbers)))
                created = self._count(writer.request("POST", "/clients/create", body))
                if not created.is_success:
                    continue
                client_id = int(created.document["id"])
                self.written[client_id] = 1
                self._read(reader, client_id)
                path = f"/clients/update/{client_id}"
                if self._count(writer.request("PUT", path, body, If_Match='"1"')).is_success:
                    self.written[client_id] = 2
                self._read(reader, client_id)

    def _read(self, reader: HttpCaller, client_id: int) -> None:
        """Read a client, alternately by its id and on a page."""
        version = self.written[client_id]
        page = f"/clients/fetch?after={client_id - 1}&limit={PAGE_SIZE}"
        for number in range(self.reads):
            if number % 2:
                response = self._count(reader.request("GET", page))
                is_stale = response.is_success and response.document[:1] == []
            else:
                response = self._count(reader.request("GET", f"/clients/fetch/{client_id}"))
                is_stale = response.is_success and response.headers["etag"] != f'"{version}"'
                is_stale |= response.status == HTTPStatus.NOT_FOUND
            with self._lock:
                self.phases[-1].stale += is_stale

    def _count(self, response: Response) -> Response:
        with self._lock:
            phase = self.phases[-1]
            phase.calls += 1
            if not response.is_success:
                phase.failed += 1
                self.failures[response.status] += 1
            phase.slowest = max(phase.slowest, response.seconds)
        return response
