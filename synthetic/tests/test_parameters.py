"""Parameters and bodies of requests, as the server receives them."""

from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.mock_api import Document, ReceivedRequest, call, write_call

LIST, OBJECT = ["blue", "black & white"], {"R": 100, "G": True}


def send_parameter(folder: Path, parameter: Document, value: Any, path: str = "/x") -> str:
    """Return the request target, or the header, of a call with one parameter."""
    spec = {"name": "color", "required": parameter["in"] == "path", **parameter}
    given = [{"name": "color", "in": parameter["in"], "value": value}]
    file = write_call(folder, {"parameters": [spec]}, {"parameters": given}, path=path)
    result, (request,) = call(file)
    assert result.result == "passed", result.detail
    name = {"header": "color", "cookie": "cookie"}.get(parameter["in"], "")
    return request.headers.get(name, "") if name else request.target


@pytest.mark.parametrize(
    ("style", "explode", "value", "target"),
    [
        ("simple", False, LIST, "/x/blue,black%20%26%20white"),
        ("simple", False, OBJECT, "/x/R,100,G,true"),
        ("simple", True, OBJECT, "/x/R=100,G=true"),
        ("simple", False, "a/b c,é", "/x/a%2Fb%20c%2C%C3%A9"),
        ("label", False, LIST, "/x/.blue,black%20%26%20white"),
        ("label", True, LIST, "/x/.blue.black%20%26%20white"),
        ("label", True, OBJECT, "/x/.R=100.G=true"),
        ("label", False, 5, "/x/.5"),
        ("matrix", False, LIST, "/x/;color=blue,black%20%26%20white"),
        ("matrix", True, LIST, "/x/;color=blue;color=black%20%26%20white"),
        ("matrix", False, OBJECT, "/x/;color=R,100,G,true"),
        ("matrix", True, OBJECT, "/x/;R=100;G=true"),
        ("matrix", False, "", "/x/;color"),
    ],
)
def test_path_styles(tmp_path: Path, style: str, value: Any, target: str, *, explode: bool) -> None:
    parameter = {"in": "path", "style": style, "explode": explode}
    assert send_parameter(tmp_path, parameter, value, "/x/{color}") == target


@pytest.mark.parametrize(
    ("parameter", "value", "target"),
    [
        ({}, LIST, "/x?color=blue&color=black+%26+white"),
        ({}, OBJECT, "/x?R=100&G=true"),
        ({}, True, "/x?color=true"),
        ({}, "", "/x?color="),
        ({}, None, "/x"),
        ({}, [], "/x"),
        ({"explode": False}, LIST, "/x?color=blue,black+%26+white"),
        ({"explode": False}, OBJECT, "/x?color=R,100,G,true"),
        ({"style": "spaceDelimited", "explode": False}, LIST, "/x?color=blue%20black+%26+white"),
        ({"style": "pipeDelimited", "explode": False}, LIST, "/x?color=blue%7Cblack+%26+white"),
        ({"style": "deepObject", "explode": True}, OBJECT, "/x?color%5BR%5D=100&color%5BG%5D=true"),
        ({"style": "deepObject"}, {"a": {"b": 1}}, "/x?color%5Ba%5D%5Bb%5D=1"),
        ({"style": "deepObject"}, {"a": [1, 2]}, "/x?color%5Ba%5D=1&color%5Ba%5D=2"),
        ({"allowReserved": True}, "a/b?c=d&e #1%2F%", "/x?color=a/b?c=d&e%20%231%2F%25"),
        ({"content": {"application/json": {}}}, {"a": [1]}, "/x?color=%7B%22a%22%3A+%5B1%5D%7D"),
    ],
)  # fmt: skip
def test_query_styles(tmp_path: Path, parameter: Document, value: Any, target: str) -> None:
    assert send_parameter(tmp_path, {"in": "query", **parameter}, value) == target


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        ({}, LIST, "blue,black & white"),
        ({}, OBJECT, "R,100,G,true"),
        ({"explode": True}, OBJECT, "R=100,G=true"),
        ({"content": {"application/json": {}}}, [1], "[1]"),
    ],
)
def test_header_styles(tmp_path: Path, parameter: Document, value: Any, text: str) -> None:
    assert send_parameter(tmp_path, {"in": "header", **parameter}, value) == text


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        ({}, "1", "color=1"),
        ({}, "a b;c", "color=a%20b%3Bc"),
        ({"style": "cookie"}, "a=b==", "color=a=b=="),
        ({"allowReserved": True}, "a=b==", "color=a=b=="),
        ({}, LIST[:1] * 2, "color=blue; color=blue"),
        ({"style": "cookie"}, OBJECT, "R=100; G=true"),
        ({"explode": False}, LIST[:1] * 2, "color=blue,blue"),
        ({}, None, ""),
    ],
)
def test_cookie_styles(tmp_path: Path, parameter: Document, value: Any, text: str) -> None:
    assert send_parameter(tmp_path, {"in": "cookie", **parameter}, value) == text


def test_all_cookies_share_one_header(tmp_path: Path) -> None:
    specs = [{"name": name, "in": "cookie"} for name in ("a", "b")]
    given: list[Document] = [
        {"name": "a", "in": "cookie", "value": 1},
        {"name": "Cookie", "in": "header", "value": "c=3"},
        {"name": "b", "in": "cookie", "value": "2"},
    ]
    file = write_call(tmp_path, {"parameters": specs}, {"parameters": given})
    assert call(file)[1][0].headers["cookie"] == "c=3; a=1; b=2"


def test_an_operations_parameter_replaces_the_one_of_its_path(tmp_path: Path) -> None:
    own = [{"name": "q", "in": "query", "explode": False}]
    given = [{"name": "q", "in": "query", "value": [1, 2]}]
    file = write_call(tmp_path, {"parameters": own}, {"parameters": given})
    text = file.with_name("api.yaml").read_text()
    shared = "  /x:\n    parameters:\n    - {name: q, in: query, required: true}\n"
    file.with_name("api.yaml").write_text(text.replace("  /x:\n", shared))
    assert call(file)[1][0].target == "/x?q=1,2"


def test_a_required_parameter_has_the_default_of_the_contract(tmp_path: Path) -> None:
    schema = {"type": "integer", "default": 10}
    spec = {"name": "limit", "in": "query", "required": True, "schema": schema}
    assert call(write_call(tmp_path, {"parameters": [spec]}))[1][0].target == "/x?limit=10"


def test_a_query_string_parameter_is_the_whole_query(tmp_path: Path) -> None:
    spec = {"name": "q", "in": "querystring", "content": {"application/x-www-form-urlencoded": {}}}
    contract = {"openapi": "3.2.0"}
    for value, target in [("a=1&b=x y", "/x?a=1&b=x%20y"), ({"a": [1, 2]}, "/x?a=1&a=2")]:
        given = [{"name": "q", "in": "querystring", "value": value}]
        operation = {"parameters": [spec]}
        file = write_call(tmp_path, operation, {"parameters": given}, contract=contract)
        assert call(file)[1][0].target == target


def test_a_path_parameter_without_a_value_fails_the_step(tmp_path: Path) -> None:
    spec = {"name": "color", "in": "path", "required": True}
    given = [{"name": "color", "in": "path", "value": "$inputs.none"}]
    inputs = {"none": {"default": None}}
    file = write_call(
        tmp_path, {"parameters": [spec]}, {"parameters": given}, path="/x/{color}", inputs=inputs
    )
    result, requests = call(file)
    assert (result.result, result.reason, requests) == ("error", "runner", [])
    assert result.detail == "the path parameter color has no value"


def send_body(folder: Path, content_type: str, payload: Any, media: Any = None) -> ReceivedRequest:
    """Return the request of a call with a body."""
    operation = {"requestBody": {"content": {content_type: media or {}}}}
    step = {"requestBody": {"contentType": content_type, "payload": payload}}
    inputs = {
        "word": {"default": "x y"},
        "document": {"default": {"k": [1, None, True]}},
        "text": {"default": '{"a": 1}'},
    }
    result, (request,) = call(write_call(folder, operation, step, method="post", inputs=inputs))
    assert result.result == "passed", result.detail
    return request


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "payload", "body"),
    [
        ("application/json", '{"a": "{$inputs.word}", "x": 1}\n', '{"a": "x y", "x": 1}\n'),
        ("application/json", "{broken", "{broken"),
        ("application/json", "$inputs.document", '{"k": [1, null, true]}'),
        ("application/json", "$inputs.word", '"x y"'),
        ("application/json", "$inputs.text", '{"a": 1}'),
        ("application/merge-patch+json; charset=utf-8", {"é": None}, '{"é": null}'),
        ("text/plain", "hi {$inputs.word}", "hi x y"),
        ("text/plain", 5, "5"),
        ("application/xml", "<a>{$inputs.word}</a>", "<a>x y</a>"),
        ("application/octet-stream", "raw", "raw"),
        (FORM, "a={$inputs.word}&b=1", "a=x y&b=1"),
        (FORM, {"a": True, "b": None, "c": 1.5, "d": "é &"}, "a=true&c=1.5&d=%C3%A9+%26"),
        (FORM, {"a": [1, 2], "o": {"k": 1}}, "a=1&a=2&o=%7B%22k%22%3A+1%7D"),
    ],
)  # fmt: skip
def test_sends_a_payload_as_its_media_type_demands(
    tmp_path: Path, content_type: str, payload: Any, body: str
) -> None:
    request = send_body(tmp_path, content_type, payload)
    assert request.body.decode() == body
    assert request.headers["content-type"] == content_type


def test_a_text_has_the_character_encoding_of_its_media_type(tmp_path: Path) -> None:
    assert send_body(tmp_path, "text/plain; charset=latin-1", "é").body == b"\xe9"


def test_the_encoding_of_a_form_field_applies(tmp_path: Path) -> None:
    media = {
        "encoding": {
            "a": {"style": "spaceDelimited", "explode": False},
            "o": {"style": "deepObject"},
            "j": {"contentType": "application/json"},
        }
    }
    request = send_body(tmp_path, FORM, {"a": [1, 2], "o": {"k": 1}, "j": [1]}, media)
    assert request.body == b"a=1%202&o%5Bk%5D=1&j=%5B1%5D"


def test_sends_a_multipart_form(tmp_path: Path) -> None:
    media = {"encoding": {"file": {"contentType": "image/svg+xml, image/png"}}}
    payload = {"name": "é", "n": 5, "tags": ["a", "b"], "o": {"k": 1}, "file": "<svg/>", "z": None}
    request = send_body(tmp_path, "multipart/form-data", payload, media)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message: EmailMessage = BytesParser(EmailMessage).parsebytes(head + request.body)
    parts = list(message.walk())[1:]
    received = [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
        for part in parts
    ]
    assert received == [
        ("name", "é".encode()),
        ("n", b"5"),
        ("tags", b"a"),
        ("tags", b"b"),
        ("o", b'{"k": 1}'),
        ("file", b"<svg/>"),
    ]
    assert parts[-1].get_content_type() == "image/svg+xml"
    assert parts[-1].get_filename() == "file"


def test_a_multipart_text_is_sent_with_its_own_boundary(tmp_path: Path) -> None:
    text = "--b\r\n\r\nx\r\n--b--\r\n"
    request = send_body(tmp_path, "multipart/form-data; boundary=b", text)
    assert request.body.decode() == text
    assert request.headers["content-type"] == "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("content_type", "payload", "message"),
    [
        (FORM, [1], "must be an object or a text, not an array"),
        (FORM, 5, "must be an object or a text, not a number"),
        ("multipart/form-data", None, "must be an object or a text, not null"),
        ("application/xml", {"a": 1}, "must be a text, not an object"),
        ("text/plain; charset=ascii", "é", "cannot be encoded as ascii"),
    ],
)
def test_a_payload_that_its_media_type_cannot_represent_is_a_clear_error(
    tmp_path: Path, content_type: str, payload: Any, message: str
) -> None:
    operation: Document = {"requestBody": {"content": {content_type: {}}}}
    step = {"requestBody": {"contentType": content_type, "payload": payload}}
    file = write_call(tmp_path, operation, step, method="post")
    result, requests = call(file)
    assert (result.result, result.reason, requests) == ("error", "runner", [])
    assert message in result.detail
