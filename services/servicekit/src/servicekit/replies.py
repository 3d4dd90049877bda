"""What a handler answers with: a plain value for 200, or a ``Reply`` for anything more."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status and headers of its own; ``body`` is any JSON value."""

    body: Any
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return the answer for Flask; a 304 has no body."""
        data = b"" if self.status is HTTPStatus.NOT_MODIFIED else orjson.dumps(self.body)
        return Response(data, status=self.status, headers=self.headers, content_type=JSON)


def created(identifier: int, msg: str, version: int | None = None) -> Reply:
    """Answer that a row was made."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Reply({"msg": msg, "id": identifier}, HTTPStatus.CREATED, headers)
