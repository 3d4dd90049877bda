"""Sampling: decided as OpenTelemetry's SDK decides, and a dropped request keeps its ids."""

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
BEGUN_LOW, BEGUN_HIGH = "a" * 16 + "0" * 15 + "1", "a" * 16 + "f" * 16  # half of all are lower
STRANGE = (
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{BEGUN_LOW}-{'0' * 16}-01",
    f"01-{BEGUN_LOW}-{SPAN}-00-more",
    f"ff-{BEGUN_LOW}-{SPAN}-01",
    f"00-{BEGUN_LOW.upper()}-{SPAN}-01",
    f" 00-{BEGUN_LOW}-{SPAN}-01 ",
    f"00-{BEGUN_LOW}-{SPAN}-01\n",
    "nothing of the kind",
)


class Answering:
    """An application that makes spans; it keeps what each of its requests saw."""

    def __init__(self, sampler: str, argument: str) -> None:
        """Sample as these settings say."""
        told = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
        with environment(**told):
            self.tracing: Tracing = create_tracing("tests", "http://127.0.0.1:9")
            self.sdk = TracerProvider(shutdown_on_exit=False).get_tracer("tests")
        self.seen: list[str] = []
        self.kept: list[str | None] = []
        self._app = self.tracing.trace_requests(self._answer)

    def ask(self, traceparent: str | None = None) -> str:
        """Send a request; return the traceparent of what it does."""
        headers = {"HTTP_TRACEPARENT": traceparent} if traceparent is not None else {}
        self._app({"REQUEST_METHOD": "GET", "PATH_INFO": "/", **headers}, lambda *_: print)
        return self.seen[-1]

    def _answer(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(TRACEPARENT.get() or "")
        self.kept.append(sampled_traceparent())
        start_response("200 OK", [])
        return []


def sampled(traceparent: str) -> bool:
    """Tell whether its spans are recorded."""
    return bool(int(traceparent[-2:], 16) & 1)


@pytest.mark.parametrize(("sampler", "argument"), SAMPLERS)
def test_a_callers_trace_goes_on_as_the_sdk_would_have_it(sampler: str, argument: str) -> None:
    answering = Answering(sampler, argument)
    plain = [
        f"00-{trace_id}-{SPAN}-{flags}"
        for trace_id in (BEGUN_LOW, BEGUN_HIGH)
        for flags in ("00", "01", "02", "03", "ff")
    ]
    for given in (*plain, *STRANGE):
        parent = TraceContextTextMapPropagator().extract({"traceparent": given}, Context())
        wanted = answering.sdk.start_span("GET", parent, SpanKind.SERVER).get_span_context()
        version, trace_id, span_id, flags = answering.ask(given).split("-")
        assert version == "00"
        assert span_id not in {SPAN, "0" * 16}
        if given in plain:
            assert (trace_id, flags) == (f"{wanted.trace_id:032x}", f"{wanted.trace_flags:02x}")
        else:
            assert len(trace_id) == len(BEGUN_LOW)
            assert (trace_id == BEGUN_LOW) == (f"{wanted.trace_id:032x}" == BEGUN_LOW)


@pytest.mark.parametrize(
    ("sampler", "argument", "wanted"),
    [
        ("always_on", "", 1.0),
        ("always_off", "", 0.0),
        ("traceidratio", "0.5", 0.5),
        ("parentbased_traceidratio", "0.5", 0.5),
    ],
)
def test_the_part_of_the_traces_that_begin_here_is_the_samplers(
    sampler: str, argument: str, wanted: float
) -> None:
    random.seed(7)
    answering = Answering(sampler, argument)
    seen = [answering.ask() for _ in range(1000)]
    assert sum(map(sampled, seen)) / len(seen) == pytest.approx(wanted, abs=0.05)
    assert len({traceparent.split("-")[1] for traceparent in seen}) == len(seen)
    assert {traceparent[-2:] for traceparent in seen} <= {"02", "03"}  # the ids are random
    if argument:  # by the lower half of its id, as every other service decides
        assert all(sampled(each) == (int(each[19:35], 16) < 1 << 63) for each in seen)


def test_a_message_keeps_a_trace_that_began_here() -> None:
    for sampler, keeps in (("always_on", True), ("always_off", False)):
        answering = Answering(sampler, "")
        traceparent = answering.ask()
        assert answering.kept == [traceparent if keeps else None]
