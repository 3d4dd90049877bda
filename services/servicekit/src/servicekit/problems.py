"""Problem exceptions (RFC 9457): one class for each error status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
NO_PATH = "There is nothing at this path"
MAX_ERRORS = 100  # in one response, as the contract allows


class Problem(Exception):
    """An error that becomes a response; ``msg`` is a short sentence for the client."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    msg = "Something went wrong here; it has been recorded"

    def __init__(
        self,
        msg: str | None = None,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe the error; ``field`` names the invalid part of the request."""
        super().__init__(msg or self.msg)
        self.errors = [] if field is None else [{"field": field, "reason": str(self)}]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def to_dict(self) -> dict[str, Any]:
        """Return the problem details object."""
        msg = f"{self.errors[0]['field']}: {self}" if self.errors else str(self)
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": msg,
            "msg": msg,
            **({"errors": self.errors} if self.errors else {}),
            **self.extra,
        }


class BadRequest(Problem):
    """400: the request is malformed."""

    status = HTTPStatus.BAD_REQUEST
    msg = "The request is not well formed"


class ValidationProblem(BadRequest):
    """400: fields of the request are missing or invalid."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """List each invalid field with its reason; the first reason becomes the message."""
        super().__init__(errors[0]["reason"])
        self.errors = errors[:MAX_ERRORS]


class Unauthorized(Problem):
    """401: the token is missing or invalid (RFC 6750)."""

    status = HTTPStatus.UNAUTHORIZED
    msg = "A valid bearer token is needed"

    def __init__(
        self, msg: str | None = None, *, challenge: str = 'Bearer realm="cadastro"'
    ) -> None:
        """Set the ``WWW-Authenticate`` challenge that RFC 9110 requires."""
        super().__init__(msg, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """403: the token is valid, but lacks the permission."""

    status = HTTPStatus.FORBIDDEN
    msg = "The token does not allow this"


class NotFound(Problem):
    """404: an id in the path or in the body does not exist."""

    status = HTTPStatus.NOT_FOUND
    msg = "There is no such thing here"


class Conflict(Problem):
    """409: a unique value is taken, or a request with the same key is still running."""

    status = HTTPStatus.CONFLICT
    msg = "It is taken already"


class PreconditionFailed(Problem):
    """412: the row's version does not meet If-Match or If-None-Match."""

    status = HTTPStatus.PRECONDITION_FAILED
    msg = "Its version does not meet If-Match or If-None-Match; fetch it again"


class PayloadTooLarge(Problem):
    """413: the body exceeds the limit of the service."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    msg = "The body is too large"


class UnsupportedMediaType(Problem):
    """415: the operation does not accept the media type of the body."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    msg = "The body must be JSON"


class Unprocessable(Problem):
    """422: an Idempotency-Key was reused for another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    msg = "This Idempotency-Key was used for another request"


class TooManyRequests(Problem):
    """429: a rate or concurrency limit is exceeded."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    msg = "Too many attempts; try again later"


class Unavailable(Problem):
    """503: a dependency is temporarily unavailable."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    msg = "The service cannot do this right now; try again shortly"

    def __init__(self, msg: str | None = None, *, retry_after: int = 1) -> None:
        """Set ``Retry-After`` to a number of seconds."""
        super().__init__(msg, headers={"Retry-After": str(retry_after)})


class UnknownOutcome(Unavailable):
    """503: the database connection broke during a write, which may have been committed."""

    msg = (
        "The database went away, and it is not known whether this was done:"
        " look, or send it again with the same Idempotency-Key"
    )
