"""Connections that are kept between two requests, and what a server or a host does to them."""

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from synthetic.probe.deadline import Deadline
from synthetic.probe.dial import connect
from synthetic.probe.http import HttpClient, Request
from synthetic.probe.results import StepError
from synthetic.probe.target import parse_target
from tests.support.synthetic.socket_server import reply, reset_after, run_socket_server, send

Ending = Callable[[socket.socket], None]

ENDINGS: dict[str, Ending] = {"closed": send(), "reset": reset_after(b"")}
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "QUERY")
SELECT_LIMIT = 1024  # file descriptors of select(2)


@contextmanager
def serve(requests: list[str], end: Ending) -> Iterator[HttpClient]:
    """Answer the first request of each connection, and end it at the second; yield a client."""

    def behave(connection: socket.socket) -> None:
        requests.append("answered")
        reply({})(connection)
        if connection.recv(65536):
            requests.append("not answered")
        end(connection)

    with run_socket_server(behave) as url:
        client = HttpClient(parse_target(url))
        yield client
        client.close()


def send_twice(client: HttpClient, method: str, body: bytes = b"") -> list[int]:
    """Send a GET and then a request on the same connection; return both statuses."""
    requests = Request("GET", "/", {}), Request(method, "/", {}, body)
    return [client.send(request, Deadline(5)).status for request in requests]


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_an_idempotent_request_is_repeated_if_its_idle_connection_ends(
    method: str, end: Ending
) -> None:
    requests: list[str] = []
    with serve(requests, end) as client:
        assert send_twice(client, method) == [200, 200]
    assert requests[:3] == ["answered", "not answered", "answered"]


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_another_request_is_sent_once(method: str, end: Ending) -> None:
    requests: list[str] = []
    with serve(requests, end) as client, pytest.raises(StepError) as failure:
        send_twice(client, method, b"{}")
    assert failure.value.reason == "connect"
    assert requests == ["answered", "not answered"]


def test_a_response_that_has_begun_is_not_requested_again() -> None:
    requests: list[str] = []
    with (
        serve(requests, send(b"HTTP/1.1 200 OK\r\nContent-Le")) as client,
        pytest.raises(StepError) as failure,
    ):
        send_twice(client, "GET")
    assert failure.value.reason == "connect"
    assert requests == ["answered", "not answered"]


def test_a_server_that_ends_each_connection_fails() -> None:
    for end in ENDINGS.values():
        with run_socket_server(end) as url, pytest.raises(StepError) as failure:
            HttpClient(parse_target(url)).send(Request("GET", "/", {}), Deadline(5))
        assert failure.value.reason == "connect"


def test_a_connection_is_used_again_in_a_process_with_many_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * SELECT_LIMIT), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(SELECT_LIMIT)]
    try:
        with serve([], send()) as client:
            assert send_twice(client, "GET") == [200, 200]
    finally:
        for number in opened:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_host_without_ipv6_reports_what_its_other_addresses_do() -> None:
    # a family that this kernel does not support, as IPv6 after the boot option ipv6.disable=1
    unsupported = socket.AF_IPX, ("::1", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_port = socket.AF_INET, listener.getsockname()
        for addresses in ([unsupported, open_port], [open_port, unsupported]):
            connect(addresses, Deadline(5)).close()
        with socket.create_server(("127.0.0.1", 0)) as other:
            closed_port = socket.AF_INET, other.getsockname()
        for addresses in ([closed_port, unsupported], [unsupported, closed_port]):
            with pytest.raises(StepError) as failure:
                connect(addresses, Deadline(5))
            assert failure.value.reason == "connect"
            assert str(failure.value) == "no connection: Connection refused"
    with pytest.raises(StepError, match="Address family not supported"):
        connect([unsupported], Deadline(5))
