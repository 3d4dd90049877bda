"""Head sampling: same decisions as the OpenTelemetry SDK; unsampled requests keep their ids."""

import random
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit.telemetry.setup import create_tracing
from servicekit.telemetry.tracing import TRACEPARENT, Tracing, sampled_traceparent
from servicekit.testing import environment

SAMPLERS = (
    ("always_on", ""),
    ("always_off", ""),
    ("parentbased_always_on", ""),
    ("parentbased_always_off", ""),
    ("traceidratio", "0.5"),
    ("parentbased_traceidratio", "0.5"),
)
SPAN = "00f067aa0ba902b7"
LOW_ID, HIGH_ID = "a" * 16 + "0" * 15 + "1", "a" * 16 + "f" * 16  # half of all are lower
UNUSUAL = (
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{LOW_ID}-{'0' * 16}-01",
    f"01-{LOW_ID}-{SPAN}-00-more",
    f"ff-{LOW_ID}-{SPAN}-01",
    f"00-{LOW_ID.upper()}-{SPAN}-01",
    f" 00-{LOW_ID}-{SPAN}-01 ",
    f"00-{LOW_ID}-{SPAN}-01\n",
    "nothing of the kind",
)


class TracedApp:
    """A traced application that records the context of each request."""

    def __init__(self, sampler: str, argument: str) -> None:
        """Configure a sampler."""
        settings = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
        with environment(**settings):
            self.tracing: Tracing = create_tracing("tests", "http://127.0.0.1:9")
            self.sdk = TracerProvider(shutdown_on_exit=False).get_tracer("tests")
        self.seen: list[str] = []
        self.kept: list[str | None] = []
        self._app = self.tracing.trace_requests(self._handle)

    def send(self, traceparent: str | None = None) -> str:
        """Send a request and return its current traceparent."""
        headers = {"HTTP_TRACEPARENT": traceparent} if traceparent is not None else {}
        self._app({"REQUEST_METHOD": "GET", "PATH_INFO": "/", **headers}, lambda *_: print)
        return self.seen[-1]

    def _handle(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(TRACEPARENT.get() or "")
        self.kept.append(sampled_traceparent())
        start_response("200 OK", [])
        return []


def sampled(traceparent: str) -> bool:
    """Return whether the spans of a trace are recorded."""
    return bool(int(traceparent[-2:], 16) & 1)


@pytest.mark.parametrize(("sampler", "argument"), SAMPLERS)
def test_continues_a_callers_trace_as_the_sdk_does(sampler: str, argument: str) -> None:
    app = TracedApp(sampler, argument)
    plain = [
        f"00-{trace_id}-{SPAN}-{flags}"
        for trace_id in (LOW_ID, HIGH_ID)
        for flags in ("00", "01", "02", "03", "ff")
    ]
    for given in (*plain, *UNUSUAL):
        parent = TraceContextTextMapPropagator().extract({"traceparent": given}, Context())
        expected = app.sdk.start_span("GET", parent, SpanKind.SERVER).get_span_context()
        version, trace_id, span_id, flags = app.send(given).split("-")
        assert version == "00"
        assert span_id not in {SPAN, "0" * 16}
        if given in plain:
            assert (trace_id, flags) == (f"{expected.trace_id:032x}", f"{expected.trace_flags:02x}")
        else:
            assert len(trace_id) == len(LOW_ID)
            assert (trace_id == LOW_ID) == (f"{expected.trace_id:032x}" == LOW_ID)


@pytest.mark.parametrize(
    ("sampler", "argument", "expected"),
    [
        ("always_on", "", 1.0),
        ("always_off", "", 0.0),
        ("traceidratio", "0.5", 0.5),
        ("parentbased_traceidratio", "0.5", 0.5),
    ],
)
def test_samples_the_configured_fraction_of_root_traces(
    sampler: str, argument: str, expected: float
) -> None:
    random.seed(7)
    app = TracedApp(sampler, argument)
    seen = [app.send() for _ in range(1000)]
    assert sum(map(sampled, seen)) / len(seen) == pytest.approx(expected, abs=0.05)
    assert len({traceparent.split("-")[1] for traceparent in seen}) == len(seen)
    assert {traceparent[-2:] for traceparent in seen} <= {"02", "03"}  # the ids are random
    if argument:  # by the lower half of its id, as every other service decides
        assert all(sampled(each) == (int(each[19:35], 16) < 1 << 63) for each in seen)


def test_message_continues_a_sampled_root_trace() -> None:
    for sampler, is_kept in (("always_on", True), ("always_off", False)):
        app = TracedApp(sampler, "")
        traceparent = app.send()
        assert app.kept == [traceparent if is_kept else None]
