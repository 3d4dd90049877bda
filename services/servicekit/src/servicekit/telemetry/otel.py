"""OpenTelemetry tracing: a span for each request, SQL statement and message delivery.

Spans contain operation names, statuses and SQL with placeholders, but no paths or values, so no
personal data. The SDK reads its OTEL_* settings from the environment.
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

from servicekit.telemetry.sampling import ROOT_CONTEXT, HeadSampler, PresetIdGenerator
from servicekit.telemetry.shared_metrics import NO_OPERATION, OPERATION
from servicekit.telemetry.tracing import TRACEPARENT, Tracing

SERVER_ERROR = 500

_propagator = TraceContextTextMapPropagator()
# parent context of the spans of statements; None if the current trace is not recorded
_parent_context: ContextVar[Context | None] = ContextVar("parent_context", default=None)


class OtelTracing(Tracing):
    """Tracing that exports spans in the background."""

    def __init__(self, service: str) -> None:
        """Set ``service.name`` of every span."""
        ids = PresetIdGenerator()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service}),
            shutdown_on_exit=False,
            id_generator=ids,
        )
        self._sampler = HeadSampler(self._provider.sampler, ids)
        self._tracer: Tracer = self._provider.get_tracer("cadastro")
        self.cursor = _traced_cursor(self._tracer)

    def start(self) -> None:
        """Start the export of spans."""
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def stop(self) -> None:
        """Export the remaining spans."""
        self._provider.shutdown()

    def trace_requests(self, app: WSGIApplication) -> WSGIApplication:
        """Return ``app`` with a span for each request except probes."""

        def traced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"].startswith("/-/"):
                return app(environ, start_response)
            method, given = environ["REQUEST_METHOD"], environ.get("HTTP_TRACEPARENT")
            unsampled = self._sampler.unsampled_traceparent(given)
            if unsampled is None:
                parent = _extract(given, environ.get("HTTP_TRACESTATE"))
                span = self._tracer.start_span(method, parent, SpanKind.SERVER)
                if span.is_recording():
                    with _current(span):
                        return _trace_request(app, environ, start_response, span)
                unsampled = _traceparent(span)
            token = TRACEPARENT.set(unsampled)  # called services must not sample it either
            try:
                return app(environ, start_response)
            finally:
                TRACEPARENT.reset(token)

        return traced

    @contextmanager
    def delivery_span(self, kind: str, traceparent: str | None) -> Iterator[None]:
        """Record a span for the delivery of a message, as a child of the enqueuing request."""
        parent = _extract(traceparent, None)
        span = self._tracer.start_span(f"tell {kind}", parent, SpanKind.CLIENT)
        with _current(span):
            try:
                yield
            finally:
                span.end()


def _trace_request(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, span: Span
) -> Iterable[bytes]:
    status = SERVER_ERROR

    def started(line: str, *rest: Any) -> Any:  # noqa: ANN401 - PEP 3333's signature
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
    traceparent_token = TRACEPARENT.set(_traceparent(span))
    context = trace.set_span_in_context(span, Context()) if span.is_recording() else None
    context_token = _parent_context.set(context)
    try:
        yield
    finally:
        _parent_context.reset(context_token)
        TRACEPARENT.reset(traceparent_token)


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _extract(traceparent: str | None, tracestate: str | None) -> Context:
    """Return the context of trace headers, or the root context without them."""
    if not traceparent:
        return ROOT_CONTEXT
    carrier = {"traceparent": traceparent, "tracestate": tracestate or ""}
    return _propagator.extract(carrier, Context())


def _traced_cursor(tracer: Tracer) -> type[cursor]:
    """Return a cursor class that records a span for each statement of a recorded request.

    SQLAlchemy's events would slow down each statement by a tenth, though one request in a hundred
    is recorded.
    """

    class TracedCursor(cursor):
        def execute(self, query: str, vars: Any = None) -> None:  # type: ignore[override]  # noqa: A002, ANN401 - psycopg2's names
            parent = _parent_context.get()
            if parent is None:
                return super().execute(query, vars)
            span = tracer.start_span(query.split(None, 1)[0], parent, SpanKind.CLIENT)
            span.set_attribute("db.system.name", "postgresql")
            span.set_attribute("db.query.text", query)  # the values are in ``vars``
            try:
                return super().execute(query, vars)
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            finally:
                span.end()

    return TracedCursor
