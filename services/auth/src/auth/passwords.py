"""Password hashing with argon2id, with limited concurrency and queue length."""

import random
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.problems import TooManyRequests
from servicekit.telemetry.shared_metrics import Instrument

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
MAX_RETRY_AFTER_SECONDS = 5
RESERVED_THREADS = 4  # handler threads that logins and registrations leave to other requests
REGISTRATION_SHARE = 4  # a fourth of the other threads


class PasswordHashing:
    """Hashes and verifies passwords for requests in the queues of ``logins`` and ``registrations``.

    A request enters a queue before its first query. A full queue returns 429 at little cost. With
    separate queues, a burst of registrations leaves places to logins.
    """

    def __init__(self, *, concurrency: int, threads: int) -> None:
        """Compute up to ``concurrency`` hashes at once, on some of ``threads`` handler threads."""
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        places = max(2, threads - RESERVED_THREADS)
        registrations = max(1, places // REGISTRATION_SHARE)
        self.logins = BoundedQueue(places - registrations)
        self.registrations = BoundedQueue(registrations)
        self._semaphore = threading.Semaphore(concurrency)
        self._hashing = BoundedQueue(concurrency)
        self._placeholder = self._hasher.hash("placeholder")

    def hash(self, password: str) -> str:
        """Return the hash of a password with its parameters and salt (PHC string format)."""
        with self._semaphore, self._hashing:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is correct; a missing hash takes as long to reject."""
        with self._semaphore, self._hashing:
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
    """Counts the requests in a block; entering raises ``TooManyRequests`` at the limit."""

    def __init__(self, limit: int) -> None:
        """Create an empty queue."""
        self.length = 0
        self._limit = limit
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Enter the queue."""
        with self._lock:
            if self.length == self._limit:
                problem = TooManyRequests()
                # rejected clients must not retry all at once
                seconds = random.randint(1, MAX_RETRY_AFTER_SECONDS)  # noqa: S311 - no secret
                problem.headers["Retry-After"] = str(seconds)
                raise problem
            self.length += 1

    def __exit__(self, *_: object) -> None:
        """Leave the queue."""
        with self._lock:
            self.length -= 1
