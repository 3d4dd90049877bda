"""HTTP edge cases: errors of all layers are problems (RFC 9457)."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from clients.app import create_app
from servicekit.testing import CONTRACTS, ContractClient, FakeIssuer
from tests.support.clients.request_bodies import client_body

JSON = {"Content-Type": "application/json"}
UNUSED_URL = "http://127.0.0.1:9"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def assert_problem(answer: httpx.Response, status: int) -> None:
    """Check that a response is a problem with a member ``msg``."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["msg"] == problem["detail"]
    assert problem["title"]
    assert problem["type"] == "about:blank"


@pytest.fixture
def raw(service_url: str) -> Iterator[socket.socket]:
    """A raw connection to the service."""
    address = urlsplit(service_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        yield connection


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and return all data until the server closes the connection."""
    connection.sendall(request)
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/clients", 404),
        ("GET", "/clients/nothing", 404),
        ("GET", "//clients/fetch", 404),
        ("GET", "/clients//fetch", 404),
        ("GET", "/clients/fetch//", 404),
        ("GET", "/clients/fetch/1/2", 404),
        ("GET", "/CLIENTS/fetch", 404),
        ("GET", "/clients/create", 405),
        ("POST", "/clients/fetch", 405),
        ("PATCH", "/clients/update/1", 405),
        ("OPTIONS", "/clients/fetch", 405),
    ],
)
def test_a_path_or_method_that_is_not_there_is_a_problem(
    api: ContractClient, method: str, path: str, status: int
) -> None:
    answer = api.request(method, str(api.base_url).rstrip("/") + path)
    assert_problem(answer, status)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_path_that_ends_in_a_slash_is_the_same_path(api: ContractClient, slash: str) -> None:
    made = api.post(f"/clients/create{slash}", json=client_body())
    assert made.status_code == 201
    assert api.get(f"/clients/fetch/{made.json()['id']}{slash}").status_code == 200
    assert api.get(f"/clients/fetch{slash}").status_code == 200


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/JSON",
        "Application/Json; charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
def test_json_is_json_however_its_media_type_is_spelt(api: ContractClient, media: str) -> None:
    answer = api.post("/clients/create", content=b'{"name": 1}', headers={"Content-Type": media})
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "media",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "x",
    ],
)
def test_a_body_of_another_kind_is_refused(api: ContractClient, media: str | None) -> None:
    headers = {} if media is None else {"Content-Type": media}
    for path in ("/clients/create", "/address/create"):
        assert_problem(api.post(path, content=b"{}", headers=headers), 415)
    for path in ("/clients/update/1", "/address/update/1"):
        assert_problem(api.put(path, content=b"{}", headers=headers), 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"name": "\xff"}',
        b'{"balance": NaN}',
        b'{"balance": ' + b"9" * 5000 + b"}",
        b'{"balance": 1e400, "name": "a", "email": "a@b.co", "cpf": "529.982.247-25"}',
        b"[" * 30_000,
        b'{"name": ' + b"[" * 256 + b"]" * 256 + b"}",
        b'{"a":' * 128 + b"1" + b"}" * 128,
        b'[{"a":' * 80 + b"1" + b"}]" * 80,
        b'{"name": ' + b"[" * 254 + b"1" + b"]" * 254 + b"}",
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
    ],
)
def test_a_body_that_makes_no_sense_is_a_bad_request(api: ContractClient, body: bytes) -> None:
    assert_problem(api.post("/clients/create", content=body, headers=JSON), 400)


@pytest.mark.parametrize(
    "unit", [b"1,", b"[],", b'{"a":1},', b'{"a":{}},', b'"",', b"[[", rb'"\"",', rb'"\\",']
)
def test_a_body_of_many_values_is_rejected_before_they_are_parsed(
    api: ContractClient, unit: bytes
) -> None:
    body = b'{"name": [' + unit * (20_000 // len(unit)) + b"1]}"
    answer = api.post("/clients/create", content=body, headers=JSON)
    assert_problem(answer, 400)
    assert answer.json()["msg"] == "The body holds too many values"


def test_a_body_over_the_limit_is_too_large(api: ContractClient) -> None:
    body = b'{"name": "' + b"x" * 65_536 + b'"}'
    for path in ("/clients/create", "/address/create"):
        assert_problem(api.post(path, content=body, headers=JSON), 413)
    for path in ("/clients/update/1", "/address/update/1"):
        assert_problem(api.put(path, content=body, headers=JSON), 413)


def test_a_body_in_chunks_is_a_body(api: ContractClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"name": '
        yield b"1}"

    answer = api.post("/clients/create", content=chunks(), headers=JSON)
    assert answer.status_code == 400
    assert {"field": "name", "reason": 'is not of type "string"'} in answer.json()["errors"]


def test_an_error_does_not_echo_what_was_sent(api: ContractClient) -> None:
    cpf, email = "123.456.789-00", "segredo@@example.com"
    answer = api.post("/clients/create", json=client_body(cpf=cpf, email=email))
    assert cpf not in answer.text
    assert email not in answer.text


def test_the_name_of_an_unknown_field_is_cut_short(api: ContractClient) -> None:
    answer = api.post("/clients/create", json=client_body(**{"x" * 5000: 1}))
    assert answer.status_code == 400
    assert len(answer.content) < 1000


def test_the_exists_scope_allows_only_existence_checks(
    api: ContractClient, issuer: FakeIssuer
) -> None:
    with api.as_caller(issuer.token(scope="clients:exists")) as service:
        assert service.get("/clients/exists/1").status_code == 200
        assert service.get("/clients/fetch/1").status_code == 403


def test_health_is_open_to_all(api: ContractClient) -> None:
    with api.as_caller(None) as stranger:
        answer = stranger.get("/clients/health")
    assert answer.status_code == 200
    assert answer.json()["msg"]


def test_a_health_response_names_the_instance(
    serve_peer: Callable[..., str], database_url: str, api: ContractClient, issuer: FakeIssuer
) -> None:
    assert "Cadastro-Instance" not in api.get("/clients/health").headers
    name = "shop/cadastro/clients"
    url = serve_peer(create_app, database_url, INVENTORY_URL=UNUSED_URL, INSTANCE=name)
    with ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as named:
        assert named.get("/clients/health").headers["Cadastro-Instance"] == name
        assert "Cadastro-Instance" not in named.get("/clients/fetch").headers


@pytest.mark.parametrize("given", ["a1-B2.c3", "x" * 128])
def test_a_request_id_comes_back(api: ContractClient, given: str) -> None:
    answer = api.get("/clients/health", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b"])
def test_a_request_without_a_usable_id_gets_one(api: ContractClient, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}
    for path in ("/clients/health", "/nothing"):
        assert UUID.fullmatch(api.get(path, headers=headers).headers["X-Request-ID"])


def test_answers_are_neither_stored_nor_guessed_at(api: ContractClient) -> None:
    for path in ("/clients/fetch", "/nothing"):
        headers = api.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "server" not in headers


def test_the_contract_and_its_page_are_served_without_the_internet(api: ContractClient) -> None:
    with api.as_caller(None) as stranger:
        contract = stranger.get("/clients/openapi.json").json()
        assert "/clients/create" in contract["paths"]
        page = stranger.get("/clients/docs/").text
        links = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert links
        for link in links:
            assert "//" not in link
            assert stranger.get(f"/clients/docs/{link}").status_code == 200
        assert "handlers" not in str(contract)
        assert stranger.get("/clients/docs/..%2f..%2fapp.py").status_code == 404


def test_the_api_page_works_behind_a_proxy_that_strips_a_prefix(api: ContractClient) -> None:
    public = "https://example.com/shop"
    with api.as_caller(None) as stranger:
        moved = stranger.get("/clients/docs", follow_redirects=False)
        page = urljoin(f"{public}/clients/docs", moved.headers["Location"])
        assert page == f"{public}/clients/docs/"
        start = stranger.get("/clients/docs/start.js").text
        options = json.loads(start.partition("(")[2].rpartition(")")[0])
        document = urljoin(page, options["url"])
        assert document == f"{public}/clients/openapi.json"
        contract = stranger.get("/clients/openapi.json").json()
    (server,) = contract["servers"]
    assert urljoin(document, server["url"]) == f"{public}/"
    assert all(path.startswith("/") for path in contract["paths"])


def test_a_slow_client_holds_nobody_up(api: ContractClient, raw: socket.socket) -> None:
    raw.sendall(b"POST /clients/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    assert api.get("/clients/health").status_code == 200


def test_what_is_not_http_is_refused(raw: socket.socket) -> None:
    assert b" 400 " in exchange(raw, b"GET / HTTP/9.9\r\n\r\n").partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"example.com", 404),
        (b"EXAMPLE.com:8080", 404),
        (b"[::1]:8080", 404),
        (b"", 404),
        (b"a b", 404),  # without a valid host
        (b"b\xc3\xbccher.example", 404),
        (b"a" * 64 + b".example", 400),  # a label has 63 characters at most (RFC 1035, 2.3.4)
        (b"a..example", 400),
    ],
)
def test_a_host_is_looked_at_however_often_it_comes(
    raw: socket.socket, host: bytes, status: int
) -> None:
    again = b"GET /clients/nothing HTTP/1.1\r\nHost: " + host + b"\r\n"
    answers = exchange(raw, again + b"\r\n" + again + b"Connection: close\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [str(status).encode()] * 2
    assert answers.count(b"application/problem+json") == 2
