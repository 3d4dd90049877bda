"""HTTP client of one base URL that reports transport errors as responses with the status 0."""

import json
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlsplit

NO_RESPONSE = 0
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Response:
    """A response, or a transport error."""

    status: int  # NO_RESPONSE after a transport error
    document: Any = None  # the parsed body, if it is JSON
    headers: Mapping[str, str] = field(default_factory=dict)  # with lower-case names
    started: float = 0.0  # seconds on the monotonic clock, which all processes share
    seconds: float = 0.0
    error: str = ""  # the class of a transport error

    @property
    def is_success(self) -> bool:
        """True if the status is 2xx."""
        return self.status in range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)


class HttpCaller:
    """Sends requests over one persistent connection, without retries."""

    def __init__(self, base: str, token: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        """Send requests to ``base``, with a bearer token if there is one."""
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        parts = urlsplit(base)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection: HTTPConnection = connect(parts.netloc, timeout=timeout)

    def __enter__(self) -> Self:
        """Return the caller."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Send a request once; a header ``If_Match`` is sent as ``If-Match``."""
        started = time.monotonic()
        sent = {**self._headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        self._close_if_stale()
        try:
            self._connection.request(method, path, content, sent)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            seconds = time.monotonic() - started
            return Response(
                NO_RESPONSE, started=started, seconds=seconds, error=type(error).__name__
            )
        received = {name.lower(): value for name, value in response.getheaders()}
        document = json.loads(text) if "json" in received.get("content-type", "") else None
        seconds = time.monotonic() - started
        return Response(response.status, document, received, started, seconds)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _close_if_stale(self) -> None:
        """Close a connection that the server has closed; unsolicited data means the same."""
        if self._connection.sock and select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()
