"""A small load through the ingress, which counts what fails while something else happens."""

import contextlib
import secrets
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ClassVar, Self

import httpx
from validate_docbr import CPF

CALLERS = 4
ANSWERS_WITHIN = 60.0  # seconds that a look for a write may take
PAUSE = 0.05  # seconds between two calls of one caller


class Load:
    """Writes clients and reads them back, until the end of its ``with`` block."""

    _cpfs: ClassVar[set[str]] = set()  # of all loads: what they write stays
    _drawing = threading.Lock()

    def __init__(self, url: str) -> None:
        """Call the system at ``url``."""
        self.answers: Counter[str] = Counter()
        self.lost: list[int] = []
        self._url = url
        self._written: list[int] = []
        self._stop = threading.Event()
        self._headers = {"Authorization": f"Bearer {_token(url)}"}
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    @property
    def failed(self) -> int:
        """How many calls were not answered with a 2xx."""
        return sum(n for answer, n in self.answers.items() if not answer.startswith("2"))

    @property
    def written(self) -> int:
        """How many writes were acknowledged."""
        return len(self._written)

    def wait_for_a_write(self, patience: float = 120) -> None:
        """Wait until a write is acknowledged that was not yet when this was called."""
        before, deadline = self.written, time.monotonic() + patience
        while self.written == before and time.monotonic() < deadline:
            time.sleep(0.05)

    @property
    def total(self) -> int:
        """How many calls there were."""
        return sum(self.answers.values())

    def __enter__(self) -> Self:
        """Start."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop, and look whether every write that was acknowledged is there.

        What was written stays: the trial's namespace goes with all that is in it.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with (
            httpx.Client(base_url=self._url, headers=self._headers, timeout=10) as client,
            ThreadPoolExecutor(CALLERS) as pool,
        ):
            there = pool.map(lambda written: _is_there(client, written), self._written)
            looked = zip(self._written, there, strict=True)
            self.lost += [written for written, is_there in looked if not is_there]

    def _call(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=10) as client:
            while not self._stop.is_set():
                made = self._ask(client, "POST", "/clients/create", self._client())
                if made is not None:
                    self._written.append(made["id"])
                    self._ask(client, "GET", f"/clients/fetch/{made['id']}")
                time.sleep(PAUSE)

    def _client(self) -> dict[str, object]:
        email = f"load-{secrets.token_hex(8)}@example.invalid"
        return {"name": "Carga", "email": email, "cpf": self._cpf(), "balance": 1}

    def _cpf(self) -> str:
        """Return one that was not there yet: of ten thousand at random two may well be alike."""
        with self._drawing:
            while (cpf := CPF().generate(mask=True)) in self._cpfs:
                pass
            self._cpfs.add(cpf)
            return cpf

    def _ask(
        self, client: httpx.Client, method: str, path: str, body: dict[str, object] | None = None
    ) -> dict[str, int] | None:
        try:
            answer = client.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        document: dict[str, int] | None = answer.json() if answer.is_success else None
        return document


def _is_there(client: httpx.Client, client_id: int) -> bool:
    """Tell whether a client is there; a service that does not answer yet is asked again."""
    deadline = time.monotonic() + ANSWERS_WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            status = client.get(f"/clients/fetch/{client_id}").status_code
            if status in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
                return status == httpx.codes.OK
        time.sleep(PAUSE)
    return False


def _token(url: str) -> str:
    name, password = f"load-{secrets.token_hex(8)}", secrets.token_urlsafe(16)
    with httpx.Client(base_url=url, timeout=10) as client:
        body = {"username": name, "password": password}
        client.post("/users/create", json=body).raise_for_status()
        answer = client.post("/users/login", auth=(name, password)).raise_for_status()
    token: str = answer.json()["token"]
    return token
