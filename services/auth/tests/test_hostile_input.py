"""Input of hostile callers without a login: refused quickly, and never a 500."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from auth import keys
from auth.context import throttled_address
from auth.keys import SigningKeys
from auth.throttle import LIMITS
from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, GunicornServer, gunicorn_server
from tests.support.auth.users import basic_auth_header, create_user, new_username, request_login

MARKS = "e" + "\u0301" * 20_000 + "\u0316" * 20_000  # normalized in quadratic time
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("credentials", [(MARKS, "x"), ("x", MARKS)])
def test_long_credentials_are_rejected_before_they_are_normalized(
    api: ContractClient, credentials: tuple[str, str]
) -> None:
    headers = basic_auth_header(*credentials)
    assert api.post("/users/login", headers=headers, timeout=5).status_code == 401


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\x7f", "a\x1fb"])
def test_control_characters_in_credentials_are_a_failed_login(
    api: ContractClient, name: str
) -> None:
    assert api.post("/users/login", headers=basic_auth_header(name, "Testando")).status_code == 401
    known = create_user(api)
    assert api.post("/users/login", headers=basic_auth_header(known, f"{name}1")).status_code == 401
    assert request_login(api, known).status_code == 200


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database behind the service, without login failures before and after a test."""
    engine = create_engine(driver_url(database_url))
    forget = text("DELETE FROM login_failures")
    with engine.begin() as connection:
        connection.execute(forget)
    yield engine
    with engine.begin() as connection:
        connection.execute(forget)
    engine.dispose()


def test_failed_logins_with_control_characters_are_throttled_by_address(
    api: ContractClient, engine: Engine
) -> None:
    address = {"X-Forwarded-For": "198.51.100.77"}
    assert api.post("/users/login", headers={**basic_auth_header("a\0", "b"), **address}).is_error
    with engine.begin() as connection:
        query = text("UPDATE login_failures SET failures = :n WHERE failures = 1")
        connection.execute(query, {"n": LIMITS["address"].free})
    statuses = [request_login(api, new_username(), headers=address).status_code for _ in range(2)]
    assert statuses == [401, 429]


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:51234", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:ffff::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("unknown", ""),
        ("192.0.2.1.example", ""),
        ("", ""),
    ],
)
def test_failures_count_for_an_ipv4_address_or_an_ipv6_network(text: str, group: str) -> None:
    assert throttled_address(text) == group


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1E-9999999999999999999", "1e400"])
def test_a_number_beyond_doubles_is_a_bad_request(api: ContractClient, number: str) -> None:
    body = f'{{"username": {number}, "password": "Testando"}}'
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.status_code == 400
    assert "out of range" in answer.json()["msg"]


def test_a_duplicate_among_many_members_is_found(api: ContractClient) -> None:
    members = [f'"{number}":1' for number in range(126)]
    body = "{" + ",".join([*members, '"125":2']) + "}"
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.json()["errors"] == [{"field": "125", "reason": "is given twice"}]


@pytest.mark.parametrize("last", ["5999", "6000"])
def test_thousands_of_members_are_rejected_before_they_are_compared(
    api: ContractClient, last: str
) -> None:
    members = [f'"{number}":1' for number in range(6_000)]
    body = "{" + ",".join([*members, f'"{last}":2']) + "}"
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["msg"] == "The body holds too many values"


def test_an_answer_has_at_most_a_hundred_errors(api: ContractClient) -> None:
    body = {str(number): 1 for number in range(125)}
    answer = api.post("/users/create", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 100


def test_a_long_content_type_is_not_parsed(api: ContractClient) -> None:
    headers = {"Content-Type": "a=b;" * 10_000}
    answer = api.post("/users/create", content=b"{}", headers=headers, timeout=5)
    assert answer.status_code == 415


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "GZIP"])
def test_a_body_with_a_content_coding_is_not_supported(api: ContractClient, coding: str) -> None:
    body = {"username": new_username(), "password": "Testando"}
    answer = api.post("/users/create", json=body, headers={"Content-Encoding": coding})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_without_a_content_coding_is_read(api: ContractClient, coding: str) -> None:
    body = {"username": new_username(), "password": "Testando"}
    answer = api.post("/users/create", json=body, headers={"Content-Encoding": coding})
    assert answer.status_code == 201


def test_loaded_keys_stay_while_the_folder_cannot_be_read(tmp_path: Path) -> None:
    clock = iter(range(0, 1000, 10)).__next__
    folder = tmp_path / "keys"
    kid = keys.new(folder)
    loaded = SigningKeys(folder, clock=clock)
    dangling = folder / "new.pem"
    dangling.symlink_to(folder / "missing")
    assert loaded.signing()[0] == kid
    dangling.unlink()
    (folder / "current").write_bytes(b"\xff\xfe")
    assert loaded.signing()[0] == kid
    folder.rename(tmp_path / "moved")
    assert [key["kid"] for key in loaded.key_set()["keys"]] == [kid]


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
