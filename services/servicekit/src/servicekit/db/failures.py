"""Exit codes and reasons of commands that the database failed."""

import re

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

EX_SOFTWARE = 70  # sysexits.h: an internal error
EX_TEMPFAIL = 75  # sysexits.h: temporary failure, the caller may retry

_SERVER = re.compile(r"connection to server (at|on) .*? failed: ")


def describe(error: DBAPIError) -> tuple[int, str]:
    """Return the exit code and the reason, for the termination message of a pod.

    The reason is the first line of the driver's message without the address of the server: later
    lines may contain values of a row.
    """
    line = first_line(error)
    reason = _SERVER.sub("", line, count=1) or type(error.orig).__name__
    if isinstance(error, OperationalError | InterfaceError):
        return EX_TEMPFAIL, f"the database is unavailable: {reason}"
    return EX_SOFTWARE, f"the database rejected a statement: {reason}"


def first_line(error: DBAPIError) -> str:
    """Return the first line of the driver's message."""
    return str(error.orig).strip().partition("\n")[0]
