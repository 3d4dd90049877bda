"""Passwords: argon2id, and never more of it at once than the machine bears."""

import random
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.problems import TooManyRequests
from servicekit.telemetry.shared_metrics import Instrument

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane
MEMORY, PASSES, LANES = 19 * 1024, 2, 1  # KiB, -, -
LONGEST_WAIT = 5  # seconds that who finds no place is told to wait
FREE_THREADS = 4  # a login storm leaves so many handler threads to everybody else


class Passwords:
    """Hashes and checks passwords, for those who have one of the ``places``.

    Who finds none free would have to wait too long, and is sent away with a 429: before the
    database is asked, so that it costs next to nothing.
    """

    def __init__(self, *, at_once: int, threads: int) -> None:
        """Hash ``at_once`` at the same time, on some of ``threads`` handler threads."""
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES)
        self.places = Places(max(1, threads - FREE_THREADS))
        self._turns = threading.Semaphore(at_once)
        self._hashing = Places(at_once)
        self._nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its parameters and its salt (PHC string format)."""
        with self._turns, self._hashing:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the right one; for nobody's it takes as long to say no."""
        with self._turns, self._hashing:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
            return stored is not None

    def instruments(self) -> list[Instrument]:
        """Return what can be told of the queue."""
        return [
            Instrument(
                "cadastro_password_hashes_in_progress",
                "Password hashes being computed.",
                lambda: self._hashing.taken,
            ),
            Instrument(
                "cadastro_password_hashes_queued",
                "Requests waiting to hash a password or for the database.",
                lambda: self.places.taken - self._hashing.taken,
            ),
        ]

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


class Places:
    """The places of a queue; entering raises ``TooManyRequests`` when none is free."""

    def __init__(self, number: int) -> None:
        """Have so many, all of them free."""
        self.taken = 0
        self._number = number
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Take a place."""
        with self._lock:
            if self.taken == self._number:
                problem = TooManyRequests()
                # hundreds who are sent away together must not come back together
                seconds = random.randint(1, LONGEST_WAIT)  # noqa: S311 - it guards nothing
                problem.headers["Retry-After"] = str(seconds)
                raise problem
            self.taken += 1

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        with self._lock:
            self.taken -= 1
