"""Error handlers that turn every exception into a problem response (RFC 9457)."""

import logging
from http import HTTPStatus

from flask import Flask, request
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from servicekit.db.pool import is_read_only
from servicekit.http.responses import JsonResponse
from servicekit.problems import (
    MEDIA_TYPE,
    NO_PATH,
    Conflict,
    NotFound,
    Problem,
    Unavailable,
    UnknownOutcome,
)

WRITE_METHODS = frozenset(("POST", "PUT", "DELETE"))

log = logging.getLogger(__name__)


def problem_response(problem: Problem) -> JsonResponse:
    """Return the response for a problem."""
    return JsonResponse(problem.status, problem.headers, MEDIA_TYPE, problem.to_dict())


def register(app: Flask, metadata: MetaData) -> None:
    """Register a handler for every exception that can leave a view.

    The ``info`` of each constraint and unique index in ``metadata`` gives the ``field`` and the
    ``msg`` of the problem that a violation causes.
    """
    tables = metadata.tables.values()
    constraints = {str(each.name): each.info for table in tables for each in table.constraints}
    constraints |= {str(each.name): each.info for table in tables for each in table.indexes}

    def integrity(error: IntegrityError) -> JsonResponse:
        diagnostics = getattr(error.orig, "diag", None)
        info = constraints.get(getattr(diagnostics, "constraint_name", None) or "")
        if not info:
            return internal_error(error)
        kind = NotFound if info.get("missing") else Conflict
        return problem_response(kind(info["msg"], field=info["field"]))

    def database(error: Exception) -> JsonResponse:
        log.warning("the database is unavailable: %s", type(error).__name__)
        # a connection that broke may have committed; without one, no statement ran
        connection_broke = isinstance(error, DBAPIError) and error.connection_invalidated
        is_unknown = connection_broke and request.method in WRITE_METHODS
        return problem_response(UnknownOutcome() if is_unknown else Unavailable())

    def dbapi(error: DBAPIError) -> JsonResponse:
        is_unavailable = error.connection_invalidated or is_read_only(error)
        return database(error) if is_unavailable else internal_error(error)

    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(IntegrityError, integrity)
    app.register_error_handler(OperationalError, database)
    app.register_error_handler(PoolTimeoutError, database)
    app.register_error_handler(DBAPIError, dbapi)
    app.register_error_handler(Exception, internal_error)


def internal_error(error: Exception) -> JsonResponse:
    """Log an unexpected exception without its values, and return a 500."""
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return problem_response(Problem())


def _http_exception(error: HTTPException) -> JsonResponse:
    """Return the response for an exception of Werkzeug's: unknown path, wrong method."""
    status = HTTPStatus(error.code or 500)
    if status is HTTPStatus.NOT_FOUND:
        problem: Problem = NotFound(NO_PATH)
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        problem = Problem("This path does not take that method")
    else:
        problem = Problem(error.description)
    problem.status = status
    replaced = {"content-type", "content-length"}
    kept = {name: value for name, value in error.get_headers() if name.lower() not in replaced}
    problem.headers.update(kept)
    return problem_response(problem)
