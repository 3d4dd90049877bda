"""Responses as WSGI applications: status line, headers and body."""

from typing import Any

import pytest

from servicekit.http.responses import JSON, JsonResponse, Result

RawResponse = tuple[str, dict[str, str], bytes]


def send(response: JsonResponse, method: str = "GET") -> RawResponse:
    """Return the status line, the headers and the body of a response."""
    started: list[Any] = []

    def start_response(line: str, headers: list[tuple[str, str]], *_: object) -> Any:
        started.append((line, dict(headers)))

    body = b"".join(response({"REQUEST_METHOD": method}, start_response))
    ((line, headers),) = started
    return line, headers, body


def test_response_has_its_media_type_and_its_length_in_bytes() -> None:
    line, headers, body = send(Result({"msg": "é"}, 201, {"ETag": '"1"'}).to_response())
    assert (line, body) == ("201 Created", '{"msg":"é"}'.encode())
    assert headers == {"ETag": '"1"', "Content-Type": JSON, "Content-Length": "12"}


def test_head_response_has_the_length_of_the_omitted_body() -> None:
    line, headers, body = send(Result([1, 2]).to_response(), "HEAD")
    assert (line, headers["Content-Length"], body) == ("200 OK", "5", b"")


def test_not_modified_response_has_no_body_and_no_representation_headers() -> None:
    assert send(Result(None, 304, {"ETag": '"7"'}).to_response()) == (
        "304 Not Modified",
        {"ETag": '"7"'},
        b"",
    )


@pytest.mark.parametrize("value", ["a\nSet-Cookie: b", "a\r"])
def test_rejects_line_breaks_in_headers(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        JsonResponse(200, {"Link": value}, JSON, {})


def test_rejects_values_that_are_not_json() -> None:
    with pytest.raises(TypeError):
        Result(object()).to_response()
