"""Hostile HTTP on a connection to gunicorn: bounded, refused with a problem, never a 500."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, text

from servicekit.testing import GunicornServer, gunicorn_server
from tests.support.auth.users import basic_auth_header, new_username


@pytest.fixture(scope="module")
def service(settings: dict[str, str]) -> Iterator[GunicornServer]:
    """The service under gunicorn, as the images run it."""
    with gunicorn_server("auth", {**settings, "TRUSTED_PROXIES": "1"}) as running_service:
        yield running_service


def exchange(service: GunicornServer, request: bytes) -> bytes:
    """Send bytes until the service responds; return the start of its response."""
    target = urlsplit(service.url)
    with socket.create_connection((target.hostname, target.port), timeout=10) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may close before it has all
            connection.sendall(request)
        return connection.recv(4096)


def assert_problem(response: bytes, status: int) -> None:
    """Check that a response is a whole problem document with that status."""
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\ncontent-type: application/problem+json\r\n" in head
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["msg"] == problem["detail"]


HEAD = b"GET /-/live HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n",
        HEAD + b"X-Endless: " + b"a" * 2_000_000,
    ],
    ids=["one long header", "many headers", "a header that does not end"],
)
def test_a_header_section_over_the_bounds_gets_431(
    service: GunicornServer, request_bytes: bytes
) -> None:
    assert_problem(exchange(service, request_bytes), 431)
    assert httpx.get(f"{service.url}/-/live").status_code == 200


@pytest.mark.parametrize("size", [16_384, 70_000, 200_000])
@pytest.mark.parametrize("start", [b"/users/", b"/users/jwks.json?a="])
def test_a_target_over_the_bound_gets_414(service: GunicornServer, start: bytes, size: int) -> None:
    request = b"GET " + start + b"a" * size + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert_problem(exchange(service, request), 414)
    assert exchange(service, b"HEAD" + request[3:]).endswith(b"\r\n\r\n")
    short = b"GET " + start + b"a" * 16_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    status = b" 200 " if b"?" in start else b" 404 "
    assert exchange(service, short).startswith(b"HTTP/1.1" + status)


def test_usual_headers_are_accepted_on_one_connection(service: GunicornServer) -> None:
    headers = {f"X-{number}": "a" * 300 for number in range(80)}
    with httpx.Client() as client:
        for _ in range(3):
            assert client.get(f"{service.url}/-/live", headers=headers).status_code == 200


def test_a_trailer_does_not_count_as_a_header(service: GunicornServer, engine: Engine) -> None:
    credentials = base64.b64encode(f"{new_username()}:wrong".encode())
    request = (
        b"POST /users/login HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + credentials + b"\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: 203.0.113.250\r\n\r\n"
    )
    assert exchange(service, request).startswith(b"HTTP/1.1 401 ")
    with engine.begin() as connection:
        connection.execute(text("UPDATE login_failures SET until = now() + interval '1 minute'"))
    headers = {**basic_auth_header(new_username(), "wrong"), "X-Forwarded-For": "203.0.113.250"}
    assert httpx.post(f"{service.url}/users/login", headers=headers).status_code == 401


CREATE = b"POST /users/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SIXTEEN, CHUNKED = b"Content-Length: 16\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b'{"password": ""}'


@pytest.mark.parametrize(
    "segments",
    [
        [CREATE + H2C + SIXTEEN + BODY],
        [CREATE + H2C + SIXTEEN, BODY],
        [CREATE + H2C + CHUNKED + b"10\r\n" + BODY + b"\r\n0\r\n\r\n"],
        [CREATE + WEBSOCKET + SIXTEEN + BODY],
    ],
    ids=["h2c", "body in a second segment", "chunked", "websocket"],
)
def test_an_offer_of_another_protocol_is_ignored_and_the_body_read(
    service: GunicornServer, segments: list[bytes]
) -> None:
    target = urlsplit(service.url)
    with socket.create_connection((target.hostname, target.port), timeout=10) as connection:
        for _ in range(2):  # the connection stays usable
            for segment in segments:
                connection.sendall(segment)
                time.sleep(0.05)
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b'"username"' in answer  # it is missing in the body


def test_connect_is_refused(service: GunicornServer) -> None:
    assert_problem(exchange(service, b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"), 501)


@pytest.mark.parametrize(
    "method", [b"FOO", b"get", b"GETX", b"M-SEARCHED", b"DESCRIBE", b"\r\nFOO"]
)
def test_an_unknown_method_gets_501(service: GunicornServer, method: bytes) -> None:
    request = method + b" /users/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n"
    assert_problem(exchange(service, request), 501)


def test_an_unknown_method_after_another_request_gets_501(service: GunicornServer) -> None:
    target = urlsplit(service.url)
    with socket.create_connection((target.hostname, target.port), timeout=10) as connection:
        connection.sendall(HEAD + b"\r\n")
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(4096)
        assert received.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert_problem(connection.recv(4096), 501)


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "PURGE", "OPTIONS"])
def test_a_known_method_that_the_path_lacks_gets_405(service: GunicornServer, method: str) -> None:
    answer = httpx.request(method, f"{service.url}/users/jwks.json")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "HEAD"}
    assert answer.json()["status"] == 405


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FOO /\r\n\r\n",
        b"FOO / HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"F(O / HTTP/1.1\r\n\r\n",
    ],
    ids=["TLS", "no version", "another version", "a header without a colon", "no method"],
)
def test_what_is_no_request_gets_400(service: GunicornServer, request_bytes: bytes) -> None:
    assert_problem(exchange(service, request_bytes), 400)


@pytest.mark.parametrize(
    "hosts",
    [b"", b"Host: a\r\nHost: b\r\n", b"Host: a b/c\r\n", b"Host: a@b\r\n", b"Host: <a>\r\n"],
)
def test_a_request_needs_one_valid_host(service: GunicornServer, hosts: bytes) -> None:
    answer = exchange(service, b"GET /-/live HTTP/1.1\r\n" + hosts + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("host", [b"a", b"[::1]:80", b"my_service:8000", b"", b"xn--a.example."])
def test_usual_hosts_are_accepted(service: GunicornServer, host: bytes) -> None:
    answer = exchange(service, b"GET /-/live HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert exchange(service, b"GET /-/live HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("name", ["X_Forwarded_For", "x_forwarded-for", "X-Forwarded_For"])
def test_a_header_with_an_underscore_does_not_set_the_address(
    service: GunicornServer, engine: Engine, name: str
) -> None:
    headers = {**basic_auth_header(new_username(), "wrong"), name: "203.0.113.97"}
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM login_failures"))
    httpx.post(
        f"{service.url}/users/login", headers={"X-Forwarded-For": "198.51.100.77", **headers}
    )
    with engine.begin() as connection:
        connection.execute(text("UPDATE login_failures SET until = now() + interval '1 minute'"))
    for address, status in {"203.0.113.97": 401, "198.51.100.77": 429}.items():
        headers = {**basic_auth_header(new_username(), "wrong"), "X-Forwarded-For": address}
        assert httpx.post(f"{service.url}/users/login", headers=headers).status_code == status


LOGIN = b"POST /users/login HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "start",
    [LOGIN, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"],
    ids=["headers", "trailers"],
)
def test_headers_and_trailers_without_an_end_are_counted(
    service: GunicornServer, start: bytes
) -> None:
    assert exchange(service, start + b"X: a\r\n" * 102).startswith(b"HTTP/1.1 431 ")
