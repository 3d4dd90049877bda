"""Password hashing with argon2id, with limited concurrency and queue length."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.problems import TooManyRequests
from servicekit.telemetry.shared_metrics import Instrument

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
MAX_RETRY_AFTER_SECONDS = 5
RESERVED_THREADS = 4  # handler threads that logins and registrations leave to other requests
REGISTRATION_SHARE = 3  # a third of the other threads
ADDRESS_PART = 3 / 4  # of the places of a queue, for one address


class PasswordHashing:
    """Hashes and verifies passwords for requests in the queues of ``logins`` and ``registrations``.

    A request enters a queue before its first query. A full queue returns 429 at little cost. With
    separate queues, a burst of registrations leaves places to logins. One address may have only a
    part of the places, and leaves the others to other addresses.
    """

    def __init__(self, *, concurrency: int, threads: int) -> None:
        """Compute up to ``concurrency`` hashes at once, on some of ``threads`` handler threads."""
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        places = max(2, threads - RESERVED_THREADS)
        registrations = max(1, places // REGISTRATION_SHARE)
        self.logins = _shared_queue(places - registrations)
        self.registrations = _shared_queue(registrations)
        self._semaphore = threading.Semaphore(concurrency)
        self._hashing = BoundedQueue(concurrency, concurrency)
        self._placeholder = self._hasher.hash("placeholder")

    def hash(self, password: str) -> str:
        """Return the hash of a password with its parameters and salt (PHC string format)."""
        with self._semaphore, self._hashing.place():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is correct; a missing hash takes as long to reject."""
        with self._semaphore, self._hashing.place():
            try:
                self._hasher.verify(stored or self._placeholder, password)
            except (VerificationError, InvalidHashError):
                return False
            return stored is not None

    def instruments(self) -> list[Instrument]:
        """Return the metrics of the queues."""
        return [
            Instrument(
                "cadastro_password_hashes_in_progress",
                "Password hashes being computed.",
                lambda: self._hashing.length,
            ),
            Instrument(
                "cadastro_password_hashes_queued",
                "Requests waiting to hash a password or for the database.",
                lambda: self.logins.length + self.registrations.length - self._hashing.length,
            ),
        ]

    def is_outdated(self, stored: str) -> bool:
        """Return whether a hash has outdated parameters."""
        return self._hasher.check_needs_rehash(stored)


class BoundedQueue:
    """Counts the requests of all addresses and of each."""

    def __init__(self, limit: int, address_limit: int) -> None:
        """Create an empty queue for ``limit`` requests, ``address_limit`` of each address."""
        self._limit = limit
        self._address_limit = address_limit
        self._lock = threading.Lock()
        self._lengths: Counter[str] = Counter()  # by address

    @property
    def length(self) -> int:
        """The number of requests."""
        return self._lengths.total()

    @contextmanager
    def place(self, address: str = "") -> Iterator[None]:
        """Hold a place for a request of an address.

        Raises:
            TooManyRequests: the queue, or the part of it for an address, is full.

        """
        with self._lock:
            if self.length == self._limit or self._lengths[address] == self._address_limit:
                problem = TooManyRequests()
                # rejected clients must not retry all at once
                seconds = random.randint(1, MAX_RETRY_AFTER_SECONDS)  # noqa: S311 - no secret
                problem.headers["Retry-After"] = str(seconds)
                raise problem
            self._lengths[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._lengths[address] -= 1
                if not self._lengths[address]:
                    del self._lengths[address]


def _shared_queue(limit: int) -> BoundedQueue:
    return BoundedQueue(limit, max(1, int(limit * ADDRESS_PART)))
