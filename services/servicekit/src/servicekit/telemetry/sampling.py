"""Head sampling of requests before a span is created.

The decision is the one of OpenTelemetry's sampler. An unsampled request needs only its trace ids,
so creating a span for it would be wasted work.
"""

import re
import threading
from random import getrandbits

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

ROOT_CONTEXT = trace.set_span_in_context(INVALID_SPAN, Context())  # a span in it starts a trace

# W3C Trace Context, version 00; OpenTelemetry parses other versions
_VERSION_00 = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


class PresetIdGenerator(RandomIdGenerator):
    """Random id generator whose next trace id can be preset in each thread."""

    def __init__(self) -> None:
        """Start without a preset id."""
        self._preset = threading.local()

    def preset(self, trace_id: int) -> None:
        """Set the id of the next trace that this thread starts."""
        self._preset.trace_id = trace_id

    def generate_trace_id(self) -> int:
        """Return the preset id or a random id of 128 bits."""
        trace_id: int | None = self._preset.__dict__.pop("trace_id", None)
        return super().generate_trace_id() if trace_id is None else trace_id


class HeadSampler:
    """Detects unsampled requests without creating a span."""

    def __init__(self, sampler: Sampler, ids: PresetIdGenerator) -> None:
        """Decide as ``sampler`` does; preset the id of a sampled root trace in ``ids``."""
        self._sampler = sampler
        self._ids = ids
        self._parents = tuple(_parent_context(flags) for flags in (0, TraceFlags.SAMPLED))

    def unsampled_traceparent(self, traceparent: str | None) -> str | None:
        """Return the ``traceparent`` of an unsampled request, with a new parent id.

        ``None`` means that this thread must start a span next: the request is sampled, or
        OpenTelemetry has to parse the caller's ``traceparent``.
        """
        if not traceparent:
            trace_id = getrandbits(128) or 1  # 0 is invalid
            if self._drops(ROOT_CONTEXT, trace_id):
                return f"00-{trace_id:032x}-{getrandbits(64) or 1:016x}-02"  # 02: a random id
            self._ids.preset(trace_id)
            return None
        match = _VERSION_00.fullmatch(traceparent)
        if match is None:
            return None
        flags = int(match[2], 16)
        if not self._drops(self._parents[flags & TraceFlags.SAMPLED], int(match[1], 16)):
            return None
        kept_flags = flags & TraceFlags.RANDOM_TRACE_ID
        return f"00-{match[1]}-{getrandbits(64) or 1:016x}-{kept_flags:02x}"

    def _drops(self, parent: Context, trace_id: int) -> bool:
        result = self._sampler.should_sample(parent, trace_id, "", SpanKind.SERVER)
        return result.decision is Decision.DROP


def _parent_context(flags: int) -> Context:
    caller = SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(caller), Context())
