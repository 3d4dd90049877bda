"""The cost of a request grows no faster than its size, whatever a caller sends."""

import random
from collections.abc import Iterator

import httpx
import pytest

from servicekit.testing import FakeIssuer
from tests.support.cpu_growth import MAX_GROWTH, Text, growth, repeated

LIMIT = 60_000  # bytes; bodies and header sections may have 64 KiB


def members(size: int, last: str = "z") -> str:
    """Return an object with many members."""
    count = size // 12
    return "{" + ",".join(f'"a{number:05}":1' for number in range(count)) + f',"{last}":1}}'


def combining_marks(size: int) -> str:
    """Return an object with a letter and many marks in the opposite of their normal order."""
    count = size // 4
    return '{"name":"e' + "\u0301" * count + "\u0316" * count + '"}'


BODIES: dict[str, Text] = {
    "a long text": repeated("a", '{"name":"', '"}'),
    "combining marks": combining_marks,
    "escapes": repeated(r"\u0041", '{"name":"', '"}'),
    "unpaired surrogates": repeated(r"\ud800", '{"name":"', '"}'),
    "backslashes": repeated("\\\\", '{"name":"', '"}'),
    "an unterminated text": repeated("a", '{"name":"'),
    "many members": members,
    "many members and a duplicate": lambda size: members(size, "a00000"),
    "one member many times": repeated('"a":1,', "{", '"a":1}'),
    "many invisible names": repeated('"\u200b":1,', "{", '"b":1}'),
    "nested arrays": repeated("["),
    "nested and closed arrays": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "nested objects": repeated('{"a":'),
    "empty objects": repeated("{},", '{"name":[', "{}]}"),
    "numbers": repeated("1,", '{"name":[', "1]}"),
    "a long number": repeated("9", '{"balance":', "}"),
    "a long fraction": repeated("9", '{"balance":0.', "}"),
    "a long exponent": repeated("9", '{"balance":1e', "}"),
    "money as a text": repeated("0", '{"balance":"1.', '"}'),
    "white space": repeated(" ", "", "{}"),
    "an e-mail of dots": repeated("a.", '{"email":"a@', 'com"}'),
    "an e-mail of at signs": repeated("@", '{"email":"', '"}'),
    "a CPF of dots": repeated(".", '{"cpf":"', '"}'),
    "line breaks": repeated("\n", '{"name":', "x"),
}
HEADERS: dict[str, tuple[str, Text]] = {
    "a long token": ("Authorization", repeated("a", "Bearer ")),
    "a token of dots": ("Authorization", repeated(".", "Bearer ")),
    "a token of spaces": ("Authorization", repeated(" ", "Bearer ", "x")),
    "a long scheme": ("Authorization", repeated("a")),
    "many versions": ("If-None-Match", repeated('"1",', "", '"1"')),
    "quotation marks": ("If-None-Match", repeated('"')),
    "an open tag": ("If-None-Match", repeated("a", '"')),
    "weak marks": ("If-None-Match", repeated("W/")),
    "a long request id": ("X-Request-ID", repeated("a")),
    "a long trace": ("traceparent", repeated("00-")),
    "a long host": ("Host", repeated("a")),
    "a host of labels": ("Host", repeated("a.", "", "com")),
    "a host beyond ASCII": ("Host", repeated("xn--a.", "", "com")),
    "a host of colons": ("Host", repeated(":")),
    "many addresses": ("X-Forwarded-For", repeated("1.1.1.1,", "", "1.1.1.1")),
    "many codings": ("Accept-Encoding", repeated("gzip,", "", "br")),
    "cookies": ("Cookie", repeated("a=b; ", "", "a=b")),
    "a long key": ("Idempotency-Key", repeated("a")),
}
CONTENT_TYPES: dict[str, Text] = {
    "parameters": repeated("a=b;", "application/json;"),
    "quoted parameters": repeated('\\"', 'application/json; charset="', '"'),
    "semicolons": repeated(";", "application/json"),
    "continuations": repeated("charset*0=a;", "application/json;"),
}
QUERIES: dict[str, Text] = {
    "many parameters": repeated("a=1&"),
    "one parameter many times": repeated("limit=1&"),
    "ampersands": repeated("&"),
    "equals signs": repeated("="),
    "escapes": repeated("%41", "name="),
    "control characters": repeated("%00", "name="),
    "combining marks": repeated("%CC%81%CC%96", "name=e"),
    "a long e-mail": repeated("a.", "email=a@", "com"),
    "a long number": repeated("1", "limit="),
}
PATHS: dict[str, Text] = {
    "a long number": repeated("1", "/clients/fetch/"),
    "slashes": repeated("/", "/clients/fetch"),
    "segments": repeated("/a", "/clients"),
    "dots": repeated("/..", "/clients"),
    "escaped slashes": repeated("%2f", "/clients/docs/"),
    "escaped letters": repeated("%C3%A9", "/clients/fetch/"),
}


@pytest.fixture(scope="module")
def client(service_url: str, issuer: FakeIssuer) -> Iterator[httpx.Client]:
    """A client with a token, whose CPU time counts too, and is linear."""
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=service_url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("kind", BODIES)
def test_the_cost_of_a_body_grows_linearly(client: httpx.Client, kind: str) -> None:
    def call(size: int) -> None:
        body = BODIES[kind](size).encode()
        headers = {"Content-Type": "application/json"}
        assert client.post("/clients/create", content=body, headers=headers).status_code == 400

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", HEADERS)
def test_the_cost_of_a_header_grows_linearly(client: httpx.Client, kind: str) -> None:
    name, text = HEADERS[kind]

    def call(size: int) -> None:
        answer = client.get("/clients/fetch/9223372036854775807", headers={name: text(size)})
        assert answer.status_code in {400, 401, 404}

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_the_cost_of_a_media_type_grows_linearly(client: httpx.Client, kind: str) -> None:
    def call(size: int) -> None:
        # other parameters each time, against a cache of media types
        header = f"{CONTENT_TYPES[kind](size)};v={random.random()}"  # noqa: S311 - no secret
        answer = client.post("/clients/create", content=b"{}", headers={"Content-Type": header})
        assert answer.status_code == 415

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", QUERIES)
def test_the_cost_of_a_query_grows_linearly(client: httpx.Client, kind: str) -> None:
    def call(size: int) -> None:
        assert client.get(f"/clients/fetch?{QUERIES[kind](size)}").status_code in {200, 400}

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", PATHS)
def test_the_cost_of_a_path_grows_linearly(client: httpx.Client, kind: str) -> None:
    def call(size: int) -> None:
        assert client.get(PATHS[kind](size)).status_code in {400, 404}

    assert growth(call, LIMIT) < MAX_GROWTH


def test_a_quadratic_cost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0

    def call(size: int) -> None:
        nonlocal clock
        clock += size**2

    monkeypatch.setattr("time.process_time", lambda: clock)
    assert growth(call, LIMIT) == pytest.approx(16)
