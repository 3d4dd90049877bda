"""Traces (W3C Trace Context); nothing happens, and nothing is loaded, unless they are asked for."""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from wsgiref.types import WSGIApplication

from psycopg2.extensions import cursor

# the ``traceparent`` of what this thread does now, when this process makes spans
TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
SAMPLED = 0x01  # the flag of a traceparent whose spans are kept; there are others beside it


class Traces:
    """Makes no spans."""

    cursor: type[cursor] | None = None  # what runs statements, where each has a span

    def start(self) -> None:
        """Be ready to make spans; after a fork, not before."""

    def stop(self) -> None:
        """Send what was not sent yet."""

    def answering(self, app: WSGIApplication) -> WSGIApplication:
        """Return an application whose answers have a span each."""
        return app

    def telling(
        self,
        kind: str,  # noqa: ARG002 - for those that make spans
        traceparent: str | None,  # noqa: ARG002 - as above
    ) -> AbstractContextManager[None]:
        """Make a span of telling of one message, below that of the request that left it."""
        return nullcontext()


def to_keep() -> str | None:
    """Return the current traceparent for somebody who goes on later, if its spans are kept."""
    current = TRACEPARENT.get()
    return current if current and int(current[-2:], 16) & SAMPLED else None


def headers() -> dict[str, str]:
    """Return the header that tells another service to go on with the current trace."""
    current = TRACEPARENT.get()
    return {"traceparent": current} if current else {}
