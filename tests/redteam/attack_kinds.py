"""Kinds of attack from one address: floods, held connections and endless requests."""

import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Protocol

SOURCE = ("127.0.0.2", 0)  # other than that of the good users
TIMEOUT_SECONDS = 10.0
CHUNK = 64 * 1024  # bytes
RANDOM = "{random}"  # in a request: replaced by another text each time

Statuses = Counter[str]


class Attack(Protocol):
    """An attack that runs until an event."""

    def run(self, stopping: threading.Event) -> Statuses:
        """Attack, and return the statuses of the responses."""


@dataclass(frozen=True)
class Flood:
    """Threads that send a request again and again, each over one connection."""

    port: int
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    credentials: Callable[[], str] | None = None  # the value of Authorization, each time
    threads: int = 30

    def run(self, stopping: threading.Event) -> Statuses:
        """Attack, and return the statuses of the responses."""
        return _in_threads(self.threads, lambda statuses: self._send_all(stopping, statuses))

    def _send_all(self, stopping: threading.Event, statuses: Statuses) -> None:
        connection = HTTPConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT_SECONDS, source_address=SOURCE
        )
        while not stopping.is_set():
            text = secrets.token_hex(8)
            headers = dict(self.headers)
            if self.credentials is not None:
                headers["Authorization"] = self.credentials()
            body = self.body and self.body.replace(RANDOM.encode(), text.encode())
            try:
                connection.request(self.method, self.path.replace(RANDOM, text), body, headers)
                response = connection.getresponse()
                response.read()
                statuses[str(response.status)] += 1
            except (OSError, HTTPException):
                statuses["closed"] += 1
                connection.close()
        connection.close()


@dataclass(frozen=True)
class Hold:
    """Connections with an unfinished request; those that the system closes are opened again."""

    port: int
    head: bytes
    connections: int
    drip: bytes = b""  # sent once a second on each connection

    def run(self, stopping: threading.Event) -> Statuses:
        """Attack, and return the number of closed connections."""
        statuses: Statuses = Counter()
        held: list[socket.socket] = []
        while not stopping.is_set():
            while len(held) < self.connections and not stopping.is_set():
                try:
                    held.append(self._open())
                except OSError:
                    statuses["refused"] += 1
                    break
            stopping.wait(1)
            held = [each for each in held if self._is_open(each, statuses)]
        for each in held:
            each.close()
        return statuses

    def _open(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), 2, SOURCE)
        connection.sendall(self.head)
        connection.settimeout(0)
        return connection

    def _is_open(self, connection: socket.socket, statuses: Statuses) -> bool:
        try:
            connection.send(self.drip)
            is_open = not connection.recv(CHUNK, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            is_open = False
        if not is_open:
            statuses["closed"] += 1
            connection.close()
        return is_open


@dataclass(frozen=True)
class Stream:
    """Threads that send one request of many bytes until the system closes the connection."""

    port: int
    head: bytes
    unit: bytes
    size: int  # bytes of repeated units
    tail: bytes = b"\r\n\r\n"
    threads: int = 4

    def run(self, stopping: threading.Event) -> Statuses:
        """Attack, and return the numbers of complete and of closed requests."""
        return _in_threads(self.threads, lambda statuses: self._send_all(stopping, statuses))

    def _send_all(self, stopping: threading.Event, statuses: Statuses) -> None:
        chunk = self.unit * max(1, CHUNK // len(self.unit))
        while not stopping.is_set():
            try:
                self._send(chunk, stopping)
                statuses["complete"] += 1
            except OSError:
                statuses["closed"] += 1

    def _send(self, chunk: bytes, stopping: threading.Event) -> None:
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, TIMEOUT_SECONDS, SOURCE) as connection:
            connection.sendall(self.head)
            for _ in range(self.size // len(chunk)):
                if stopping.is_set():
                    return
                connection.sendall(chunk)
            connection.sendall(self.tail)
            connection.recv(CHUNK)


def _in_threads(count: int, work: Callable[[Statuses], None]) -> Statuses:
    parts: list[Statuses] = [Counter() for _ in range(count)]
    threads = [threading.Thread(target=work, args=(part,), daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    end = None
    for thread in threads:
        thread.join(None if end is None else max(0.0, end - time.monotonic()))
        end = end or time.monotonic() + TIMEOUT_SECONDS
    total: Statuses = Counter()
    for part in parts:
        with suppress(RuntimeError):  # its thread waits for a response
            total.update(part)
    return total
