"""Flask application class without the per-request work that JSON APIs do not need."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from flask import Flask, Request
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import Map, MapAdapter
from werkzeug.sansio.utils import get_host

from servicekit.http.responses import JsonResponse

HOST_CACHE_SIZE = 128  # hosts; a service has a few names


class _NoSessions(SessionInterface):
    """Session interface that returns one shared null session."""

    _null_session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's
        return self._null_session


class ApiFlask(Flask):
    """Flask for an API that routes by path alone and returns immutable responses.

    It has no sessions, subdomains or coroutines. A single function runs before each view; Flask's
    hooks raise ``NotImplementedError``, and its signals are not sent.
    """

    session_interface = _NoSessions()

    def __init__(self, name: str, before_view: Callable[[Request], None]) -> None:
        """Call ``before_view`` with each request; its exceptions reach the error handlers."""
        super().__init__(name, static_folder=None)
        self._before_view = before_view

    def reject_hook(self, _: Any) -> NoReturn:  # noqa: ANN401 - any argument that Flask accepts
        """Raise, since hooks of Flask's would not run."""
        raise NotImplementedError("no hook is called here; see full_dispatch_request")

    before_request: Any = reject_hook
    after_request: Any = reject_hook
    teardown_request: Any = reject_hook
    teardown_appcontext: Any = reject_hook

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view unchanged: none is async, and Flask would check it in each request."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the URL adapter of a request; parsed hosts are cached.

        Raises:
            BadHost: the host is not a valid name.

        """
        if request is None:
            return None  # URLs are built only inside requests
        environ = request.environ
        scheme = environ["wsgi.url_scheme"]
        server = (environ["SERVER_NAME"], int(environ["SERVER_PORT"]))
        request.host, name = _parse_host(scheme, environ.get("HTTP_HOST"), server)
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

    def full_dispatch_request(self) -> Any:  # noqa: ANN401 - JsonResponse or Werkzeug's
        """Return the response to the current request, or to the exception that it raised."""
        try:
            self._before_view(request_ctx.request)
            response = self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - the registered handlers decide
            response = self.handle_user_exception(error)
        return self.finalize_request(response)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - Flask's
        """Return the return value of a view or an error handler as a response."""
        return rv if isinstance(rv, JsonResponse) else self.make_response(rv)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Do nothing: there are no hooks."""

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        """Do nothing: there are no hooks."""


@lru_cache(HOST_CACHE_SIZE)
def _parse_host(scheme: str, host: str | None, server: tuple[str, int]) -> tuple[str, str]:
    """Return a host as ``Request.host`` and as the server name of redirects."""
    parsed = get_host(scheme, host, server)
    return parsed, Map().bind(parsed).server_name
