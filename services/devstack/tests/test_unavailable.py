"""The program that responds for services that do not."""

import asyncio
import socket
import subprocess
import sys
from typing import Any

import orjson
import pytest

from devstack.unavailable import STATUS_PATH, app
from servicekit.testing import wait_until
from tests.support.ports import free_port


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


@pytest.mark.parametrize(
    ("line", "status"), [(b"FROB / HTTP/1.1", 501), (b"nothing of HTTP", 400)], ids=["501", "400"]
)
def test_what_is_no_request_gets_a_problem_as_from_the_services(line: bytes, status: int) -> None:
    port = free_port()

    def is_listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with subprocess.Popen([sys.executable, "-m", "devstack.unavailable", str(port)]) as process:
        try:
            wait_until(is_listening, "the program to listen")
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(line + b"\r\nHost: x\r\n\r\n")
                answer = connection.makefile("rb").read()
        finally:
            process.terminate()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in answer
