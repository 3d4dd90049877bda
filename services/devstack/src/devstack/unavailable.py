"""`python -m devstack.unavailable`: the ingress's responses for services that do not respond.

They are problem documents with `Retry-After`, as the services send them, since the contracts
promise these for every error.
"""

import argparse
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import orjson
import uvicorn

from servicekit.problems import MEDIA_TYPE, Unavailable
from servicekit.server.http_protocol import BoundedHttpProtocol

Message = MutableMapping[str, Any]

STATUS_PATH = "/-/unavailable/"  # followed by a status that the ingress has sent already


class _NoAnswer(Unavailable):
    """502 or 504: a service broke the connection, or did not respond in time."""

    msg = (
        "The service did not respond, and it is not known whether this was done:"
        " look, or send it again with the same Idempotency-Key"
    )

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__()
        self.status = status


def problem(path: str) -> Unavailable:
    """Return the problem of a request that was routed to ``path`` of this program."""
    if path.startswith(STATUS_PATH):
        return _NoAnswer(HTTPStatus(int(path.removeprefix(STATUS_PATH))))
    return Unavailable("The service does not respond; try again shortly")


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Send the problem document of a request (ASGI).

    Its body is read first: the ingress may cut a response that arrives before it has sent the body.
    """
    while (await receive()).get("more_body", False):
        pass
    found = problem(scope["path"])
    body = orjson.dumps(found.to_dict())
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **found.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(found.status), "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m devstack.unavailable", description=__doc__)
    parser.add_argument("port", type=int, help="port of 127.0.0.1")
    port = parser.parse_args().port
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        http=BoundedHttpProtocol,
        lifespan="off",
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
