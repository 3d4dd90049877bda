"""Whether a request is traced, decided before a span of it is made.

It is OpenTelemetry's sampler that decides, as its SDK would ask it. Of a request that is dropped
nothing is ever wanted but its ids, so that it gets no span.
"""

import re
import threading
from random import getrandbits

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

NEW = trace.set_span_in_context(INVALID_SPAN, Context())  # whatever begins here begins a trace

# W3C Trace Context, version 00; whatever else a caller sends is for OpenTelemetry to understand
_VERSION_00 = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_HALF = 1 << 64  # of the values of an id


class Ids(RandomIdGenerator):
    """Random ids; a trace that was looked at already keeps the id by which it was admitted."""

    def __init__(self) -> None:
        """Have admitted none."""
        self._admitted = threading.local()

    def admit(self, trace_id: int) -> None:
        """Give the next trace that this thread begins this id."""
        self._admitted.trace_id = trace_id

    def generate_trace_id(self) -> int:
        """Return the id of a new trace, of 128 bits."""
        admitted: int | None = self._admitted.__dict__.pop("trace_id", None)
        return super().generate_trace_id() if admitted is None else admitted


class Sampling:
    """Sorts out the requests that are not traced.

    Each sampler that OTEL_TRACES_SAMPLER can name looks at the caller's flag, and at whether the
    lower half of a trace's id is below a bound. The bounds are found out by asking it, once.
    """

    def __init__(self, sampler: Sampler, ids: Ids) -> None:
        """Decide as ``sampler`` does; what it admits begins with one of ``ids``."""
        self._ids = ids
        self._new = _bound(sampler, NEW)
        self._below = tuple(_bound(sampler, _below(flags)) for flags in (0, TraceFlags.SAMPLED))

    def dropped(self, traceparent: str | None) -> str | None:
        """Return the ``traceparent`` of a request that is dropped, with a new id of its own.

        ``None`` means that a span must be made at once, by this thread: it is recorded, or the
        caller's ``traceparent`` wants a closer look.
        """
        if not traceparent:
            trace_id = getrandbits(128) or 1  # 0 is no id
            if trace_id % _HALF >= self._new:
                return f"00-{trace_id:032x}-{getrandbits(64) or 1:016x}-02"  # 02: it is random
            self._ids.admit(trace_id)
            return None
        known = _VERSION_00.fullmatch(traceparent)
        if known is None:
            return None
        flags = int(known[2], 16)
        if int(known[1][16:], 16) < self._below[flags & TraceFlags.SAMPLED]:
            return None
        kept = flags & TraceFlags.RANDOM_TRACE_ID
        return f"00-{known[1]}-{getrandbits(64) or 1:016x}-{kept:02x}"


def _bound(sampler: Sampler, parent: Context) -> int:
    """Return the lowest half of an id that is dropped below ``parent``."""
    low, high = 0, _HALF
    while low < high:
        middle = (low + high) // 2
        result = sampler.should_sample(parent, middle, "", SpanKind.SERVER)
        if result.decision is Decision.DROP:
            high = middle
        else:
            low = middle + 1
    return low


def _below(flags: int) -> Context:
    caller = SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(caller), Context())
