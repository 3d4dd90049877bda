"""Background load through the ingress that counts failed requests and lost writes."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from types import TracebackType
from typing import ClassVar, Self

from validate_docbr import CPF

from tests.support.accounts import create_user, log_in, new_client
from tests.support.http_caller import HttpCaller, Response
from tests.support.steps import StepFailed

CALLERS = 4
READ_TIMEOUT_SECONDS = 60.0  # of the final check for a write
WRITE_TIMEOUT_SECONDS = 120.0  # until a write succeeds after a fault
POLL_SECONDS = 0.05  # and the pause between two requests of a caller


class BackgroundLoad:
    """Writes clients and reads them back until the end of its ``with`` block."""

    _cpfs: ClassVar[set[str]] = set()  # of all loads: their clients are not deleted
    _cpf_lock = threading.Lock()

    def __init__(self, url: str) -> None:
        """Send requests to ``url``."""
        self.responses: Counter[str] = Counter()
        self.lost: list[int] = []
        self._url = url
        self._written: list[int] = []
        self._stop = threading.Event()
        self._token = _create_token(url)
        self._threads = [threading.Thread(target=self._run) for _ in range(CALLERS)]

    @property
    def failed(self) -> int:
        """The number of requests without a 2xx response."""
        return sum(n for result, n in self.responses.items() if not result.startswith("2"))

    @property
    def written(self) -> int:
        """The number of acknowledged writes."""
        return len(self._written)

    def wait_for_a_write(self, timeout: float = WRITE_TIMEOUT_SECONDS) -> None:
        """Wait for the next acknowledged write."""
        before, deadline = self.written, time.monotonic() + timeout
        while self.written == before and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    @property
    def total(self) -> int:
        """The number of requests."""
        return sum(self.responses.values())

    def __enter__(self) -> Self:
        """Start the callers."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop the callers, and check that every acknowledged write is present.

        The clients stay: they are deleted with the namespace.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with ThreadPoolExecutor(CALLERS) as pool:
            present = pool.map(self._exists, self._written)
            checked = zip(self._written, present, strict=True)
            self.lost += [written for written, exists in checked if not exists]

    def _run(self) -> None:
        with HttpCaller(self._url, self._token) as caller:
            while not self._stop.is_set():
                body = new_client("Carga", "load", self._unique_cpf(), balance=1)
                created = self._count(caller.request("POST", "/clients/create", body))
                if created.is_success:
                    client_id = created.document["id"]
                    self._written.append(client_id)
                    self._count(caller.request("GET", f"/clients/fetch/{client_id}"))
                time.sleep(POLL_SECONDS)

    def _unique_cpf(self) -> str:
        """Return an unused CPF: random ones repeat among ten thousand."""
        with self._cpf_lock:
            while (cpf := CPF().generate(mask=True)) in self._cpfs:
                pass
            self._cpfs.add(cpf)
            return cpf

    def _count(self, response: Response) -> Response:
        self.responses[response.error or str(response.status)] += 1
        return response

    def _exists(self, client_id: int) -> bool:
        """Return whether a client exists; retry while the service does not respond."""
        deadline = time.monotonic() + READ_TIMEOUT_SECONDS
        with HttpCaller(self._url, self._token) as caller:
            while time.monotonic() < deadline:
                status = caller.request("GET", f"/clients/fetch/{client_id}").status
                if status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
                    return status == HTTPStatus.OK
                time.sleep(POLL_SECONDS)
        return False


def _create_token(url: str) -> str:
    token = log_in(url, create_user(url, "load"))
    if token is None:
        raise StepFailed(f"{url} issues no token")
    return token
