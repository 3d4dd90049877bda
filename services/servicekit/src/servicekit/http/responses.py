"""Results of handlers and the JSON responses that are sent for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson

JSON = "application/json"

_STATUS_LINES = {int(status): f"{status} {status.phrase}" for status in HTTPStatus}


class JsonResponse:
    """An immutable, encoded response: a WSGI application (PEP 3333), as Flask requires.

    Werkzeug's response stays mutable until it is sent, and is processed again then.
    """

    __slots__ = ("data", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], media_type: str, content: object
    ) -> None:
        """Encode ``content``, any JSON value; a 304 has none (RFC 9110, section 15.4.5).

        Raises:
            TypeError: ``content`` is not a JSON value.
            ValueError: a header has a line break in it and would become two headers.

        """
        if any("\n" in value or "\r" in value for value in headers.values()):
            raise ValueError("a header has a line break in it")
        self.status = status
        self.headers = list(headers.items())
        self.data = b""
        if status != HTTPStatus.NOT_MODIFIED:
            self.data = orjson.dumps(content)
            self.headers.append(("Content-Type", media_type))
            self.headers.append(("Content-Length", str(len(self.data))))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response; omit the body for HEAD."""
        start_response(_STATUS_LINES[self.status], self.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.data]


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a handler with a status and headers; a plain value means 200.

    ``body`` is any JSON value.
    """

    body: Any
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)

    def to_response(self) -> JsonResponse:
        """Return the encoded response."""
        return JsonResponse(self.status, self.headers, JSON, self.body)


def created(identifier: int, msg: str, version: int | None = None) -> Result:
    """Return a 201 with the id of the new row."""
    headers = {} if version is None else {"ETag": etag(version)}
    return Result({"msg": msg, "id": identifier}, HTTPStatus.CREATED, headers)


def etag(version: int) -> str:
    """Return the entity tag of a row's version."""
    return f'"{version}"'
