"""Flask without what our services have no use for, and would pay for in every request."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import Map, MapAdapter
from werkzeug.sansio.utils import get_host

HOSTS = 128  # that are remembered; a service has a few names


class _NoSessions(SessionInterface):
    """Nobody has a session here, and a new one for each request would be for nothing."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's
        return self._none


class App(Flask):
    """Flask for an API whose routes are paths alone: no session, no subdomain, no coroutine."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take a function as it is: Flask would look at each in each request; none is async."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds a request's route; a host that was seen is not looked at again.

        Raises:
            BadHost: the host can be no name.

        """
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        scheme = environ["wsgi.url_scheme"]
        server = (environ["SERVER_NAME"], int(environ["SERVER_PORT"]))
        request.host, name = _named(scheme, environ.get("HTTP_HOST"), server)
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return MapAdapter(
            self.url_map,
            name,
            environ["SCRIPT_NAME"],
            self.url_map.default_subdomain,
            scheme,
            path,
            environ["REQUEST_METHOD"],
            environ["QUERY_STRING"],
        )


@lru_cache(HOSTS)
def _named(scheme: str, host: str | None, server: tuple[str, int]) -> tuple[str, str]:
    """Return a host as requests know it, and as redirects would name it."""
    known = get_host(scheme, host, server)
    return known, Map().bind(known).server_name
