"""Interface of tracing (W3C Trace Context) and its implementation without spans."""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from wsgiref.types import WSGIApplication

from psycopg2.extensions import cursor

# the current ``traceparent`` of this thread, if the process records spans
TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
SAMPLED = 0x01  # trace flag: the spans are recorded


class Tracing:
    """Tracing that records no spans."""

    cursor: type[cursor] | None = None  # psycopg2 cursor class that records statements

    def start(self) -> None:
        """Start the export of spans; call it after a fork, not before."""

    def stop(self) -> None:
        """Export the remaining spans."""

    def trace_requests(self, app: WSGIApplication) -> WSGIApplication:
        """Return ``app`` with a span for each request."""
        return app

    def delivery_span(
        self,
        kind: str,  # noqa: ARG002 - subclasses use it
        traceparent: str | None,  # noqa: ARG002 - as above
    ) -> AbstractContextManager[None]:
        """Record a span for the delivery of a message, as a child of the enqueuing request."""
        return nullcontext()


def sampled_traceparent() -> str | None:
    """Return the current traceparent if it is sampled, to continue the trace later."""
    current = TRACEPARENT.get()
    return current if current and int(current[-2:], 16) & SAMPLED else None


def trace_headers() -> dict[str, str]:
    """Return the headers that propagate the current trace to another service."""
    current = TRACEPARENT.get()
    return {"traceparent": current} if current else {}
