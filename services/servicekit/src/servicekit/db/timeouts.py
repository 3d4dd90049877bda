"""How long a thread waits for the database: the server's own time-outs say nothing when it hangs.

psycopg2 hands every wait to one callback a process; here it ends a wait that takes too long, and
psycopg2 then closes the connection.
"""

import select
import threading
import time

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, set_wait_callback
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 - a class, named so there

_thread = threading.local()


class NoAnswerError(psycopg2.OperationalError):
    """The database has said nothing for too long."""


def limit(seconds: float | None) -> float | None:
    """Let this thread wait so long at most for each answer of a database; return what held before.

    ``None`` is for ever.
    """
    before = getattr(_thread, "seconds", None)
    _thread.seconds = seconds
    return before


def install() -> None:
    """Make each ``limit`` hold in this process; a thread that has set none waits for ever."""
    set_wait_callback(_wait)


def _wait(connection: DriverConnection) -> None:
    seconds = getattr(_thread, "seconds", None)
    until = None if seconds is None else time.monotonic() + seconds
    poll = select.poll()
    while (state := connection.poll()) != POLL_OK:
        poll.register(connection, select.POLLIN if state == POLL_READ else select.POLLOUT)
        left = None if until is None else max(0.0, until - time.monotonic()) * 1000
        if not poll.poll(left):
            message = f"no answer within {seconds} s"
            raise NoAnswerError(message)
