"""Answers as WSGI applications: what is sent of each, and what is not."""

from typing import Any

import pytest

from servicekit.http.responses import JSON, JsonResponse, Result

Sent = tuple[str, dict[str, str], bytes]


def sent(answer: JsonResponse, method: str = "GET") -> Sent:
    """Return the status line, the headers and the body that a server would send."""
    began: list[Any] = []

    def start_response(line: str, headers: list[tuple[str, str]], *_: object) -> Any:
        began.append((line, dict(headers)))

    body = b"".join(answer({"REQUEST_METHOD": method}, start_response))
    ((line, headers),) = began
    return line, headers, body


def test_an_answer_tells_its_kind_and_its_length_in_bytes() -> None:
    line, headers, body = sent(Result({"msg": "é"}, 201, {"ETag": '"1"'}).to_response())
    assert (line, body) == ("201 Created", '{"msg":"é"}'.encode())
    assert headers == {"ETag": '"1"', "Content-Type": JSON, "Content-Length": "12"}


def test_the_head_alone_tells_the_length_of_what_is_left_out() -> None:
    line, headers, body = sent(Result([1, 2]).to_response(), "HEAD")
    assert (line, headers["Content-Length"], body) == ("200 OK", "5", b"")


def test_what_is_not_modified_has_no_body_and_nothing_that_describes_one() -> None:
    assert sent(Result(None, 304, {"ETag": '"7"'}).to_response()) == (
        "304 Not Modified",
        {"ETag": '"7"'},
        b"",
    )


@pytest.mark.parametrize("value", ["a\nSet-Cookie: b", "a\r"])
def test_a_header_is_never_two(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        JsonResponse(200, {"Link": value}, JSON, {})


def test_what_is_no_json_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(TypeError):
        Result(object()).to_response()
