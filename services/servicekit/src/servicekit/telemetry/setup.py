"""Selection of the tracing implementation from the settings."""

from servicekit.telemetry.tracing import Tracing


def create_tracing(service: str, endpoint: str) -> Tracing:
    """Return the tracing of ``service``; it records no spans if ``endpoint`` is empty."""
    if not endpoint:
        return Tracing()
    # imported here to save memory in processes without tracing
    from servicekit.telemetry.otel import OtelTracing  # noqa: PLC0415

    return OtelTracing(service)
