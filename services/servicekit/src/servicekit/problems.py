"""Problems (RFC 9457): one family of exceptions for all that can be answered but success."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
NO_PATH = "There is nothing at this path"


class Problem(Exception):
    """An error with an answer of its own; ``msg`` is a short sentence for a person."""

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
        """Say what is wrong; ``field`` names the part of the request that is at fault."""
        super().__init__(msg or self.msg)
        self.errors = [] if field is None else [{"field": field, "reason": str(self)}]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def document(self) -> dict[str, Any]:
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
    """400: what came is not what the contract describes."""

    status = HTTPStatus.BAD_REQUEST
    msg = "The request is not well formed"


class Invalid(BadRequest):
    """400: fields of the request are missing or wrong."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """Take every field at fault with its reason; the first one becomes the sentence."""
        super().__init__(errors[0]["reason"])
        self.errors = errors


class Unauthorized(Problem):
    """401: no token, or none that is accepted here (RFC 6750)."""

    status = HTTPStatus.UNAUTHORIZED
    msg = "A valid bearer token is needed"

    def __init__(
        self, msg: str | None = None, *, challenge: str = 'Bearer realm="cadastro"'
    ) -> None:
        """Answer with the challenge that RFC 9110 asks for."""
        super().__init__(msg, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """403: the token is valid, and does not allow this."""

    status = HTTPStatus.FORBIDDEN
    msg = "The token does not allow this"


class NotFound(Problem):
    """404: an id in the path, or one that the body points to, does not exist."""

    status = HTTPStatus.NOT_FOUND
    msg = "There is no such thing here"


class Conflict(Problem):
    """409: a value that must be unique is taken, or the same request is still running."""

    status = HTTPStatus.CONFLICT
    msg = "It is taken already"


class PreconditionFailed(Problem):
    """412: what If-Match names is no longer what is stored."""

    status = HTTPStatus.PRECONDITION_FAILED
    msg = "It was changed in between; fetch it again"


class PayloadTooLarge(Problem):
    """413: the body is larger than the service takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    msg = "The body is too large"


class UnsupportedMediaType(Problem):
    """415: the body is of a kind that the operation does not take."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    msg = "The body must be JSON"


class Unprocessable(Problem):
    """422: an Idempotency-Key came again with another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    msg = "This Idempotency-Key was used for another request"


class TooManyRequests(Problem):
    """429: more than the service does at once."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    msg = "Too many attempts; try again later"


class Unavailable(Problem):
    """503: something that is needed does not answer for the moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    msg = "The service cannot do this right now; try again shortly"

    def __init__(self, msg: str | None = None, *, retry_after: int = 1) -> None:
        """Say in how many seconds to come back."""
        super().__init__(msg, headers={"Retry-After": str(retry_after)})


class UnknownOutcome(Unavailable):
    """503: the database went away in the middle of a write, perhaps after it was done."""

    msg = (
        "The database went away, and it is not known whether this was done:"
        " look, or send it again with the same Idempotency-Key"
    )
