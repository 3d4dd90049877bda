"""The WSGI environ of an ASGI request (PEP 3333)."""

from collections.abc import MutableMapping
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment

from servicekit.http.health import READY_PATH

Scope = MutableMapping[str, Any]


def build_environ(scope: Scope, body: bytes) -> WSGIEnvironment:
    """Return the environ of an ASGI request with its complete body."""
    host, port = scope.get("server") or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, raw_value in scope["headers"]:
        key = _KNOWN_HEADERS.get(name) or _key(name)
        if not key:
            continue
        value = raw_value.decode("latin-1")
        is_repeated = key in environ and key.startswith("HTTP_")
        environ[key] = f"{environ[key]},{value}" if is_repeated else value
    environ["CONTENT_LENGTH"] = str(len(body))  # a chunked request has none, and the body is whole
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def source_address(environ: WSGIEnvironment) -> str:
    """Return the address of the caller as the nearest proxy recorded it."""
    if environ["PATH_INFO"] == READY_PATH:  # a probe is not a caller
        return ""
    forwarded: str = environ.get("HTTP_X_FORWARDED_FOR") or environ["REMOTE_ADDR"]
    return forwarded.rpartition(",")[2].strip()


def _key(name: bytes) -> str:
    """Return the environ key of a header (PEP 3333), or an empty string for one to ignore.

    A name with an underscore would get the key of one with a hyphen, which a proxy may have set.
    """
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


_KNOWN_HEADERS = {
    name: _key(name)
    for name in (
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"traceparent",
        b"user-agent",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-request-id",
    )
}
