"""The most expensive requests that each parser of a service admits."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

BODY_BYTES = 65_536
DELIMITERS = 256  # of a JSON body, outside of texts
TARGET_BYTES = 16_000
FORM_BYTES = 4_096
QUERY_BYTES = 8_192
HEADER_BYTES = 60_000  # in addition to those of every request
TOKEN_BYTES = 4_096
VALID_CLIENT = {"name": "a", "email": "a@example.com", "cpf": "529.982.247-25", "balance": 1}
VALID_PURCHASE = {"client_id": 1, "product_id": 1, "number_of_items": 1, "purchase_date": ""}


@dataclass(frozen=True)
class ParserInput:
    """A request to the own port of a service."""

    parser: str
    name: str
    path: str
    method: str = "GET"
    service: str = "clients"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def parser_inputs(token: str) -> Iterator[ParserInput]:
    """Yield the requests; ``token`` is a valid one."""
    for name, text in json_bodies().items():
        yield _json(name, text)
    marks = _combining_marks(400)
    users = {"path": "/users/create", "service": "auth"}
    yield _json("a password of marks", json.dumps({"username": "a", "password": marks}), **users)
    yield _json("a name of marks", json.dumps({"username": marks, "password": "a"}), **users)
    for date in ("2024-11-01T10:30:00." + "1" * 60, "2024-02-30T23:59:60Z"):
        text = json.dumps({**VALID_PURCHASE, "purchase_date": date})
        yield _json(f"the date {date[:20]}", text, "/inventory/add_product", "inventory")
    for name, query in query_strings().items():
        yield ParserInput("query", name, f"/clients/fetch?{query}")
    for name, path in _paths().items():
        yield ParserInput("path", name, path)
    for name, headers in _headers(token).items():
        yield ParserInput("headers", name, "/clients/fetch/1", headers=headers)
    yield from _credentials()


def _json(
    name: str, text: str, path: str = "/clients/create", service: str = "clients"
) -> ParserInput:
    headers = {"Content-Type": "application/json"}
    body = text.encode().ljust(BODY_BYTES)[:BODY_BYTES]
    return ParserInput("JSON", name, path, "POST", service, headers, body)


def json_bodies() -> dict[str, str]:
    """Return bodies of at most the admitted number of values, by name."""
    return {
        "integers": _array(lambda _: "1"),
        "long integers": _array(lambda _: "9" * 40),
        "decimals": _array(lambda _: "1.1"),
        "long decimals": _array(lambda _: "0." + "1" * 38),
        "exponents": _array(lambda _: "1e308"),
        "texts": _array(lambda _: '"' + "a" * 240 + '"'),
        "texts of delimiters": _array(lambda _: '"' + "," * 240 + '"'),
        "empty texts": '{"name":"' + '""' * 32_000,
        "escaped texts": _array(lambda _: r'"\u0041\u00e9\u4e00"'),
        "emoji": _array(lambda _: '"' + "\N{GRINNING FACE}" * 5 + '"'),
        "empty arrays": _array(lambda _: "[]"),
        "empty objects": _array(lambda _: "{}"),
        "objects": _array(lambda _: r'{"\u0041":1}'),
        "nested arrays": '{"name":' + "[" * 253 + "]" * 253 + "}",
        "nested objects": '{"a":' * 127 + "1" + "}" * 127,
        "unknown members": _object(lambda number: f"{'a' * 400}{number:05}"),
        "members beyond ASCII": _object(lambda number: f"{'ç' * 200}{number:05}"),
        "escaped members": _object(lambda number: r"\u00e7" * 70 + f"{number:05}"),
        "invisible members": _object(lambda number: "\u200b" * 130 + f"{number:05}"),
        "a duplicate as the last member": _object(lambda number: f"{number % 120:05}"),
        "a long text": '{"name":"' + "a" * 65_000 + '"}',
        "a text of escapes": '{"name":"' + r"\u00e9" * 10_900 + '"}',
        "a text of marks": '{"name":"' + _combining_marks(30_000) + '"}',
        "a long e-mail": json.dumps({**VALID_CLIENT, "email": "a@" + "a." * 120 + "com"}),
        "an e-mail beyond ASCII": json.dumps({**VALID_CLIENT, "email": "é@" + "é." * 120 + "com"}),
    }


def query_strings() -> dict[str, str]:
    """Return query strings of at most the admitted length, by name."""
    return {
        "many parameters": ("a=1&" * 2048)[:QUERY_BYTES],
        "ampersands": "&" * QUERY_BYTES,
        "escapes": ("name=" + "%41" * 3000)[:QUERY_BYTES],
        "a name of escapes": "name=" + "%F0%9F%98%80" * 200,
        "a name of marks": "name=e" + "%CC%81" * 99 + "%CC%96" * 100,
        "all filters": "name=a&email=%C3%A9@example.com&cpf=529.982.247-25&limit=1000&after=1",
    }


def _paths() -> dict[str, str]:
    paths = {
        "segments": "/clients" + "/a" * TARGET_BYTES,
        "slashes": "/clients/fetch" + "/" * TARGET_BYTES,
        "escapes": "/clients/fetch/" + "%C3%A9" * TARGET_BYTES,
        "digits": "/clients/fetch/" + "1" * TARGET_BYTES,
    }
    return {name: path[:TARGET_BYTES] for name, path in paths.items()}


def _headers(token: str) -> dict[str, dict[str, str]]:
    head = token.partition(".")[0]
    nested = b'{"a":' + b"[" * 1400 + b"]" * 1400 + b"}"
    claims = base64.urlsafe_b64encode(nested).decode()
    return {
        "many headers": {f"x-{number}": "a" * 600 for number in range(90)},
        "one long header": {"x": "a" * HEADER_BYTES},
        "versions": {"If-None-Match": '"1",' * (HEADER_BYTES // 4) + '"1"'},
        "addresses": {"X-Forwarded-For": "1.1.1.1," * (HEADER_BYTES // 8) + "1.1.1.1"},
        "cookies": {"Cookie": "a=b; " * (HEADER_BYTES // 5)},
        "a host": {"Host": "a." * (HEADER_BYTES // 2)},
        "a token of another key": {"Authorization": f"Bearer {token[:-8]}AAAAAAAA"},
        "a token of nested claims": {"Authorization": f"Bearer {head}.{claims}.AAAA"},
        "a token of dots": {"Authorization": "Bearer " + "." * TOKEN_BYTES},
        "a token that is too long": {"Authorization": "Bearer " + "a" * HEADER_BYTES},
        "media type parameters": {"Content-Type": "application/json;" + "a=b;" * 15_000},
    }


def _credentials() -> Iterator[ParserInput]:
    texts = {
        "a name of marks": _combining_marks(HEADER_BYTES // 3),
        "a possible name of marks": _combining_marks(399),
        "a name of ligatures": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 400,
        "a long name": "a" * (HEADER_BYTES // 2),
    }
    for name, text in texts.items():
        basic = base64.b64encode(f"{text}:a".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        yield ParserInput("Basic", name, "/users/login", "POST", "auth", headers)
    basic = base64.b64encode(b"clients:a").decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    forms = {
        "99 fields": "a=1&" * 99,
        "escapes": "scope=" + "%41" * FORM_BYTES,
        "ampersands": "&" * FORM_BYTES,
        "scopes": "grant_type=client_credentials&scope=" + "a:a+" * FORM_BYTES,
    }
    for name, text in forms.items():
        body = text.encode()[:FORM_BYTES]
        yield ParserInput("form", name, "/users/token", "POST", "auth", headers, body)


def _array(item: Callable[[int], str]) -> str:
    """Return an object with a member of as many items as a body may have."""
    text = item(0)
    delimiters = 1 + sum(map(text.count, ",:[{"))
    count = min((DELIMITERS - 3) // delimiters, (BODY_BYTES - 20) // (len(text.encode()) + 1))
    return '{"name":[' + ",".join(map(item, range(count))) + "]}"


def _object(name: Callable[[int], str]) -> str:
    """Return an object of as many members as a body may have."""
    size = len(name(0).encode()) + 5
    count = min((DELIMITERS - 1) // 2, (BODY_BYTES - 2) // size)
    return "{" + ",".join(f'"{name(number)}":1' for number in range(count)) + "}"


def _combining_marks(count: int) -> str:
    """Return a letter with marks in the opposite of their normal order."""
    return "e" + "\u0301" * (count // 2) + "\u0316" * (count // 2)
