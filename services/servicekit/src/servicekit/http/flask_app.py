"""Flask without what our services have no use for, and would pay for in every request."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from flask import Flask, Request
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import Map, MapAdapter
from werkzeug.sansio.utils import get_host

from servicekit.http.responses import Answer

HOSTS = 128  # that are remembered; a service has a few names


class _NoSessions(SessionInterface):
    """Nobody has a session here, and a new one for each request would be for nothing."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's
        return self._none


class App(Flask):
    """Flask for an API whose routes are paths alone, and whose answers are final once made.

    There is no session, no subdomain and no coroutine. Around a view there is one function before
    it and nothing after it: Flask's own hooks are refused, and its signals are not sent.
    """

    session_interface = _NoSessions()

    def __init__(self, name: str, begin: Callable[[Request], None]) -> None:
        """Call ``begin`` with each request before its view; what it raises is answered."""
        super().__init__(name, static_folder=None)
        self._begin = begin

    def refuse_hook(self, _: Any) -> NoReturn:  # noqa: ANN401 - whatever Flask takes as one
        """Refuse a function that Flask would call around each request, and that we never would."""
        message = "no hook is called here; see full_dispatch_request"
        raise NotImplementedError(message)

    before_request: Any = refuse_hook
    after_request: Any = refuse_hook
    teardown_request: Any = refuse_hook
    teardown_appcontext: Any = refuse_hook

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take a function as it is: Flask would look at each in each request; none is async."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds a request's route; a host that was seen is not looked at again.

        Raises:
            BadHost: the host can be no name.

        """
        if request is None:
            return None  # nobody builds a URL outside of a request
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

    def full_dispatch_request(self) -> Any:  # noqa: ANN401 - an answer, ours or Werkzeug's
        """Answer the current request, or what is raised meanwhile."""
        try:
            self._begin(request_ctx.request)
            answer = self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - the handlers that are registered judge it
            answer = self.handle_user_exception(error)
        return self.finalize_request(answer)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - Flask's
        """Return what a view or an error handler has returned, as an answer."""
        return rv if isinstance(rv, Answer) else self.make_response(rv)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Do nothing: nothing was set up."""

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        """Do nothing, as above."""


@lru_cache(HOSTS)
def _named(scheme: str, host: str | None, server: tuple[str, int]) -> tuple[str, str]:
    """Return a host as requests know it, and as redirects would name it."""
    known = get_host(scheme, host, server)
    return known, Map().bind(known).server_name
