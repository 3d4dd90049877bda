"""OpenTelemetry: a span for each answer, each statement and each message that is told.

They hold names of operations, statuses and SQL with its placeholders: no path, no value, nothing
of anybody. The SDK reads its settings, OTEL_*, from the environment by itself.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from psycopg2.extensions import cursor

from servicekit.telemetry.sampling import NEW, Ids, Sampling
from servicekit.telemetry.shared_metrics import NO_OPERATION, OPERATION
from servicekit.telemetry.tracing import TRACEPARENT, Traces

SERVER_ERROR = 500

_propagator = TraceContextTextMapPropagator()
# what a statement's span is below; nothing while nothing is recorded, which then costs one look
_recorded_here: ContextVar[Context | None] = ContextVar("recorded", default=None)


class OpenTelemetry(Traces):
    """Makes spans, and sends them in the background."""

    def __init__(self, service: str) -> None:
        """Name ``service`` in every span."""
        ids = Ids()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service}),
            shutdown_on_exit=False,
            id_generator=ids,
        )
        self._sampling = Sampling(self._provider.sampler, ids)
        self._tracer: Tracer = self._provider.get_tracer("cadastro")
        self.cursor = _watched(self._tracer)

    def start(self) -> None:
        """Start to send."""
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def stop(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()

    def answering(self, app: WSGIApplication) -> WSGIApplication:
        """Return an application whose answers have a span each, but for those to probes."""

        def traced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"].startswith("/-/"):
                return app(environ, start_response)
            method, given = environ["REQUEST_METHOD"], environ.get("HTTP_TRACEPARENT")
            dropped = self._sampling.dropped(given)
            if dropped is None:
                parent = _parent(given, environ.get("HTTP_TRACESTATE"))
                span = self._tracer.start_span(method, parent, SpanKind.SERVER)
                if span.is_recording():
                    with _current(span):
                        return _recorded(app, environ, start_response, span)
                dropped = _traceparent(span)
            before = TRACEPARENT.set(dropped)  # others must not keep theirs either
            try:
                return app(environ, start_response)
            finally:
                TRACEPARENT.reset(before)

        return traced

    @contextmanager
    def telling(self, kind: str, traceparent: str | None) -> Iterator[None]:
        """Make a span of telling of one message, below that of the request that left it."""
        parent = _parent(traceparent, None)
        span = self._tracer.start_span(f"tell {kind}", parent, SpanKind.CLIENT)
        with _current(span):
            try:
                yield
            finally:
                span.end()


def _recorded(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, span: Span
) -> Iterable[bytes]:
    status = SERVER_ERROR

    def started(line: str, *rest: Any) -> Any:  # noqa: ANN401 - as PEP 3333 has it
        nonlocal status
        status = int(line[:3])
        return start_response(line, *rest)

    try:
        return app(environ, started)
    finally:
        operation = environ.get(OPERATION, NO_OPERATION)
        span.update_name(operation)
        span.set_attribute("http.request.method", environ["REQUEST_METHOD"])
        span.set_attribute("http.response.status_code", status)
        if status >= SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


@contextmanager
def _current(span: Span) -> Iterator[None]:
    before = TRACEPARENT.set(_traceparent(span))
    below = trace.set_span_in_context(span, Context()) if span.is_recording() else None
    token = _recorded_here.set(below)
    try:
        yield
    finally:
        _recorded_here.reset(token)
        TRACEPARENT.reset(before)


def _traceparent(span: Span) -> str:
    made = span.get_span_context()
    return f"00-{made.trace_id:032x}-{made.span_id:016x}-{int(made.trace_flags):02x}"


def _parent(traceparent: str | None, tracestate: str | None) -> Context:
    """Return the context that headers tell of; without any, that of a new trace."""
    if not traceparent:
        return NEW
    carrier = {"traceparent": traceparent, "tracestate": tracestate or ""}
    return _propagator.extract(carrier, Context())


def _watched(tracer: Tracer) -> type[cursor]:
    """Return cursors whose statements have a span each, below that of the request.

    SQLAlchemy's events would cost every statement of every request a tenth of its time, though one
    in a hundred is recorded.
    """

    class Watched(cursor):
        def execute(self, query: str, vars: Any = None) -> None:  # type: ignore[override]  # noqa: A002, ANN401 - as psycopg2 names them
            below = _recorded_here.get()
            if below is None:
                return super().execute(query, vars)
            span = tracer.start_span(query.split(None, 1)[0], below, SpanKind.CLIENT)
            span.set_attribute("db.system.name", "postgresql")
            span.set_attribute("db.query.text", query)  # its values are in ``vars``
            try:
                return super().execute(query, vars)
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            finally:
                span.end()

    return Watched
