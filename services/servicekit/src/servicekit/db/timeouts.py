"""Read time-outs for psycopg2, which has none of its own for a server that hangs.

psycopg2 calls one wait callback per process. The callback here raises after the thread's time-out,
and psycopg2 then closes the connection.
"""

import select
import threading
import time

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, set_wait_callback
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 - a class, named so there

_thread = threading.local()


class ReadTimeout(psycopg2.OperationalError):
    """The database sent nothing within the read time-out."""


def set_read_timeout(seconds: float | None) -> float | None:
    """Set this thread's time-out for each read from a database, and return the previous one.

    ``None`` means no limit.
    """
    before = getattr(_thread, "seconds", None)
    _thread.seconds = seconds
    return before


def install_wait_callback() -> None:
    """Enforce ``set_read_timeout`` in this process; threads without one wait indefinitely."""
    set_wait_callback(_wait)


def _wait(connection: DriverConnection) -> None:
    seconds = getattr(_thread, "seconds", None)
    deadline = None if seconds is None else time.monotonic() + seconds
    poll = select.poll()
    while (state := connection.poll()) != POLL_OK:
        poll.register(connection, select.POLLIN if state == POLL_READ else select.POLLOUT)
        remaining = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(remaining):
            raise ReadTimeout(f"no data within {seconds} s")
