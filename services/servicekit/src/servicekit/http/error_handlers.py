"""One shape of answer for every error there is, whoever raises it."""

import logging
from http import HTTPStatus

from flask import Flask, request
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from servicekit.http.responses import Answer
from servicekit.problems import (
    MEDIA_TYPE,
    NO_PATH,
    Conflict,
    NotFound,
    Problem,
    Unavailable,
    UnknownOutcome,
)

WRITES = frozenset(("POST", "PUT", "DELETE"))

log = logging.getLogger(__name__)


def respond(problem: Problem) -> Answer:
    """Return a problem as an answer."""
    return Answer(problem.status, problem.headers, MEDIA_TYPE, problem.document())


def register(app: Flask, metadata: MetaData) -> None:
    """Give every error that can leave a handler the one shape.

    ``metadata`` tells what a violated constraint, or a unique index, means: its ``info`` holds the
    ``field`` that is at fault and the ``msg`` to answer with.
    """
    tables = metadata.tables.values()
    constraints = {str(each.name): each.info for table in tables for each in table.constraints}
    constraints |= {str(each.name): each.info for table in tables for each in table.indexes}

    def integrity(error: IntegrityError) -> Answer:
        diagnostics = getattr(error.orig, "diag", None)
        info = constraints.get(getattr(diagnostics, "constraint_name", None) or "")
        if not info:
            return crash(error)
        kind = NotFound if info.get("missing") else Conflict
        return respond(kind(info["msg"], field=info["field"]))

    def database(error: Exception) -> Answer:
        log.warning("database away: %s", type(error).__name__)
        # without a connection nothing was begun; one that broke may have carried a commit
        was_begun = isinstance(error, DBAPIError) and error.connection_invalidated
        is_unknown = was_begun and request.method in WRITES
        return respond(UnknownOutcome() if is_unknown else Unavailable())

    def dbapi(error: DBAPIError) -> Answer:
        return database(error) if error.connection_invalidated else crash(error)

    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(IntegrityError, integrity)
    app.register_error_handler(OperationalError, database)
    app.register_error_handler(PoolTimeoutError, database)
    app.register_error_handler(DBAPIError, dbapi)
    app.register_error_handler(Exception, crash)


def crash(error: Exception) -> Answer:
    """Answer an error that nobody foresaw; the log has the whole of it but for its values."""
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return respond(Problem())


def _http_exception(error: HTTPException) -> Answer:
    """Answer what Flask and Werkzeug raise: an unknown path, a method that is not there."""
    status = HTTPStatus(error.code or 500)
    if status is HTTPStatus.NOT_FOUND:
        problem: Problem = NotFound(NO_PATH)
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        problem = Problem("This path does not take that method")
    else:
        problem = Problem(error.description)
    problem.status = status
    own = {"content-type", "content-length"}
    kept = {name: value for name, value in error.get_headers() if name.lower() not in own}
    problem.headers.update(kept)
    return respond(problem)
