"""What a handler answers with: a plain value for 200, or a ``Reply`` for anything more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson

JSON = "application/json"

_LINES = {int(status): f"{status} {status.phrase}" for status in HTTPStatus}


class Answer:
    """A whole answer, encoded: a WSGI application (PEP 3333), as Flask wants of what it sends.

    Werkzeug's response can be changed until it is sent, and is looked through then; this one has
    been final since it was made.
    """

    __slots__ = ("data", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], media_type: str, content: object
    ) -> None:
        """Encode ``content``, any JSON value; a 304 has none (RFC 9110, section 15.4.5).

        Raises:
            TypeError: ``content`` is none.
            ValueError: a header has a line break in it, and would be two.

        """
        if any("\n" in value or "\r" in value for value in headers.values()):
            message = "a header has a line break in it"
            raise ValueError(message)
        self.status = status
        self.headers = list(headers.items())
        self.data = b""
        if status != HTTPStatus.NOT_MODIFIED:
            self.data = orjson.dumps(content)
            self.headers.append(("Content-Type", media_type))
            self.headers.append(("Content-Length", str(len(self.data))))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; one for the head alone gets no more."""
        start_response(_LINES[self.status], self.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.data]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status and headers of its own; ``body`` is any JSON value."""

    body: Any
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        """Return the answer, encoded."""
        return Answer(self.status, self.headers, JSON, self.body)


def created(identifier: int, msg: str, version: int | None = None) -> Reply:
    """Answer that a row was made."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Reply({"msg": msg, "id": identifier}, HTTPStatus.CREATED, headers)
