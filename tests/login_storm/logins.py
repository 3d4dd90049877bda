"""Concurrent logins that honour Retry-After: HTTP over asyncio streams."""

import asyncio
import base64
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.support.accounts import User

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *([0-9]+)\r\n", re.IGNORECASE)
NO_RESPONSE = 0  # counted as a status: the connection was closed without a response


@dataclass
class LoginResult:
    """Statuses and times of the logins."""

    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0  # rejections without Retry-After
    slowest: float = 0.0  # seconds of the slowest successful login


async def log_in_repeatedly(port: int, users: Sequence[User], seconds: float) -> LoginResult:
    """Log in each user at ``port`` of 127.0.0.1, again and again for some seconds.

    All callers start together. After a rejection a caller waits for the time in Retry-After;
    after a success it logs in again at once.
    """
    result, start = LoginResult(), asyncio.Event()
    callers = [asyncio.create_task(_caller(port, user, start, seconds, result)) for user in users]
    await asyncio.sleep(0)
    start.set()
    await asyncio.gather(*callers)
    return result


async def _caller(
    port: int, user: User, start: asyncio.Event, seconds: float, result: LoginResult
) -> None:
    basic = base64.b64encode(":".join(user).encode()).decode()
    request = (
        f"POST /users/login HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {basic}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await start.wait()
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            writer.write(request)
            await asyncio.sleep(await _read_response(reader, result))
    except (OSError, asyncio.IncompleteReadError):
        result.statuses[NO_RESPONSE] += 1
    finally:
        writer.close()


async def _read_response(reader: asyncio.StreamReader, result: LoginResult) -> float:
    """Record one response, and return the seconds to wait before the next login."""
    started = time.monotonic()
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    await reader.readexactly(int(length[1]) if length else 0)
    status = int(head.split(b" ", 2)[1])
    result.statuses[status] += 1
    if status == HTTPStatus.OK:
        result.slowest = max(result.slowest, time.monotonic() - started)
        return 0.0
    retry = _RETRY.search(head)
    result.without_retry_after += retry is None
    return float(retry[1]) if retry else 1.0
