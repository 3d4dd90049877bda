"""Callers who log in all at once, and again as soon as they may: HTTP on streams of asyncio."""

import asyncio
import base64
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *([0-9]+)\r\n", re.IGNORECASE)
BROKEN = 0  # counted as a status: the connection ended without an answer


@dataclass
class Storm:
    """What came of the logins."""

    statuses: Counter[int] = field(default_factory=Counter)
    untold: int = 0  # refusals that did not say when to come back
    slowest: float = 0.0  # seconds until a token


async def storm(port: int, users: Sequence[tuple[str, str]], seconds: float) -> Storm:
    """Let one caller for each of ``users`` log in at ``port`` of 127.0.0.1 for some seconds.

    All begin at the same moment. Who is refused waits as long as the answer says; who gets in
    logs in again at once.
    """
    seen, gate = Storm(), asyncio.Event()
    callers = [asyncio.create_task(_caller(port, user, gate, seconds, seen)) for user in users]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*callers)
    return seen


async def _caller(
    port: int, user: tuple[str, str], gate: asyncio.Event, seconds: float, seen: Storm
) -> None:
    basic = base64.b64encode(":".join(user).encode()).decode()
    request = (
        f"POST /users/login HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {basic}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await gate.wait()
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            writer.write(request)
            await asyncio.sleep(await _answer(reader, seen))
    except (OSError, asyncio.IncompleteReadError):
        seen.statuses[BROKEN] += 1
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, seen: Storm) -> float:
    """Note one answer, and return the seconds to wait before the next attempt."""
    began = time.monotonic()
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    await reader.readexactly(int(length[1]) if length else 0)
    status = int(head.split(b" ", 2)[1])
    seen.statuses[status] += 1
    if status == HTTPStatus.OK:
        seen.slowest = max(seen.slowest, time.monotonic() - began)
        return 0.0
    retry = _RETRY.search(head)
    seen.untold += retry is None
    return float(retry[1]) if retry else 1.0
