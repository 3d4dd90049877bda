"""Selection of the tracing implementation from the settings."""

from servicekit.telemetry.tracing import Traces


def create_tracing(service: str, endpoint: str) -> Traces:
    """Return the tracing of ``service``; it makes no spans if ``endpoint`` is empty."""
    if not endpoint:
        return Traces()
    # OpenTelemetry takes memory that only traced processes need
    from servicekit.telemetry.otel import OpenTelemetry  # noqa: PLC0415

    return OpenTelemetry(service)
