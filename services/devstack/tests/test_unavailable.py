"""The program that responds for services that do not."""

import asyncio
from typing import Any

import orjson
import pytest

from devstack.unavailable import STATUS_PATH, app


def exchange(method: str, path: str, *chunks: bytes) -> list[dict[str, Any]]:
    """Return the messages that the program receives and sends for a request, in order."""
    messages: list[dict[str, Any]] = []
    bodies = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    received = iter([*bodies, {"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        messages.append(next(received))
        return messages[-1]

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(app({"type": "http", "method": method, "path": path}, receive, send))
    return messages


@pytest.mark.parametrize("chunks", [(), (b"a",), (b"a", b"b")], ids=len)
def test_a_complete_request_is_read_before_the_response_is_sent(chunks: tuple[bytes, ...]) -> None:
    types = [message["type"] for message in exchange("POST", "/clients/create", *chunks)]
    sent = ["http.response.start", "http.response.body"]
    assert types == [*["http.request"] * (len(chunks) + 1), *sent]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/clients/create", 503),
        ("/-/unavailable", 503),
        (f"{STATUS_PATH}502", 502),
        (f"{STATUS_PATH}504", 504),
    ],
)
def test_the_response_has_the_status_that_the_ingress_sends(path: str, status: int) -> None:
    *_, start, body = exchange("GET", path)
    headers = dict(start["headers"])
    assert (start["status"], orjson.loads(body["body"])["status"]) == (status, status)
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"retry-after"] == b"1"


def test_the_response_to_head_has_no_body() -> None:
    assert exchange("HEAD", "/clients/fetch")[-1]["body"] == b""
