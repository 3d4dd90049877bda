"""Spans of requests and statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from clients.app import create_app
from servicekit.telemetry.tracing import TRACEPARENT, sampled_traceparent
from servicekit.testing import FakeIssuer, environment, peer_settings, serve
from tests.support.clients.request_bodies import client_body
from tests.support.devstack.span_collector import Span, SpanCollector

CALLERS_SPAN = "00f067aa0ba902b7"


@pytest.fixture
def settings(issuer: FakeIssuer, database_url: str, tmp_path: Path) -> dict[str, str]:
    """Settings of the service."""
    return peer_settings(issuer, database_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@contextmanager
def traced(
    settings: dict[str, str], issuer: FakeIssuer
) -> Iterator[tuple[httpx.Client, SpanCollector]]:
    """Run a service; after its stop, the collector has all spans."""
    with SpanCollector() as collector:
        changes = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with environment(**settings, **changes), serve(create_app()) as url:
            headers = {"Authorization": f"Bearer {issuer.token()}"}
            with httpx.Client(base_url=url, headers=headers) as client:
                yield client, collector


def named(spans: list[Span], name: str) -> Span:
    """Return the only span of a name."""
    (found,) = [span for span in spans if span.name == name]
    return found


def test_a_request_span_contains_the_spans_of_its_statements(
    settings: dict[str, str], issuer: FakeIssuer
) -> None:
    person = client_body()
    sampled, unsampled = "a" * 32, "b" * 32
    with traced(settings, issuer) as (client, collector):
        headers = {"traceparent": f"00-{sampled}-{CALLERS_SPAN}-01"}
        client.post("/clients/create", json=person, headers=headers).raise_for_status()
        headers = {"traceparent": f"00-{unsampled}-{CALLERS_SPAN}-00"}
        client.get("/clients/fetch", headers=headers).raise_for_status()
        assert client.get("/clients/fetch/9223372036854775807").status_code == 404
        assert client.get("/nothing").status_code == 404
    request, statement = (
        named(collector.of_trace(sampled), name) for name in ("clients.create", "INSERT")
    )
    assert request.parent_id == CALLERS_SPAN
    assert statement.parent_id == request.span_id
    assert "INSERT INTO clients" in statement.attributes["db.query.text"]
    assert person["cpf"].encode() not in collector.raw
    assert collector.of_trace(unsampled) == []
    own = [span for span in collector.spans if span.trace_id != sampled]  # without a caller's trace
    assert {span.name for span in own} == {"clients.fetch", "SELECT", "none"}
    assert named(own, "clients.fetch").parent_id == ""
    assert not any(span.failed for span in collector.spans)  # a 404 is no failure of the service


def test_a_service_works_without_its_collector(
    settings: dict[str, str], issuer: FakeIssuer
) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    with environment(**settings, **away), serve(create_app()) as url:
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        for _ in range(3):
            assert httpx.get(f"{url}/clients/fetch", headers=headers).is_success


def test_a_message_keeps_only_a_sampled_trace() -> None:
    for flags, kept in (("01", True), ("00", False)):
        traceparent = f"00-{'c' * 32}-{CALLERS_SPAN}-{flags}"
        token = TRACEPARENT.set(traceparent)
        assert sampled_traceparent() == (traceparent if kept else None)
        TRACEPARENT.reset(token)
    assert sampled_traceparent() is None
