"""Passwords: argon2id, and never more of it at once than the machine bears."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.errors import TooManyRequests
from servicekit.meter import Reading

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane
MEMORY, PASSES, LANES = 19 * 1024, 2, 1  # KiB, -, -
FREE_THREADS = 4  # a login storm leaves so many handler threads to everybody else


class Passwords:
    """Hashes and checks passwords; who would have to wait too long is sent away with a 429."""

    def __init__(self, *, at_once: int, threads: int) -> None:
        """Hash ``at_once`` at the same time, on some of ``threads`` handler threads."""
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES)
        self._running = threading.Semaphore(at_once)
        self._at_once = at_once
        self._inside = _Places(max(1, threads - FREE_THREADS))
        self._nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its parameters and its salt (PHC string format).

        Raises:
            TooManyRequests: too many wait already.

        """
        with self._inside, self._running:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the right one; for nobody's it takes as long to say no.

        Raises:
            TooManyRequests: too many wait already.

        """
        with self._inside, self._running:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
            return stored is not None

    def readings(self) -> list[Reading]:
        """Return what can be told of the queue."""
        return [
            Reading("password_hashes_running", "Hashes under way.", self._hashing),
            Reading(
                "password_hashes_waiting",
                "Hashes that wait for one that is under way.",
                lambda: self._inside.taken - self._hashing(),
            ),
        ]

    def _hashing(self) -> int:
        return min(self._at_once, self._inside.taken)

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


class _Places:
    """The places of a queue; who finds none free is sent away at once."""

    def __init__(self, number: int) -> None:
        self.taken = 0
        self._number = number
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self.taken == self._number:
                problem = TooManyRequests()
                problem.headers["Retry-After"] = "1"
                raise problem
            self.taken += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.taken -= 1
