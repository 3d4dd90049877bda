"""Traces from the ingress to the calls of the relays and the SQL statements."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from servicekit.testing import CONTRACTS, wait_until
from tests.support.devstack.span_collector import Span, SpanCollector
from tests.support.local_system import System, running

CALLER_SPAN = "00f067aa0ba902b7"
PERSON = {
    "name": "Segredo da Silva",
    "email": "segredo@example.com",
    "cpf": "111.444.777-35",
    "balance": 7.77,
}


def headers(trace_id: str, token: str = "", sampled: str = "01") -> dict[str, str]:
    """Return the headers of a traced request."""
    sent = {"traceparent": f"00-{trace_id}-{CALLER_SPAN}-{sampled}"}
    return {**sent, "Authorization": f"Bearer {token}"} if token else sent


def sign_up(system: System) -> str:
    """Create a user, and return a token."""
    user = {"username": "Pedro", "password": "Segredos-demais"}
    httpx.post(f"{system.url}/users/create", json=user).raise_for_status()
    answer = httpx.post(f"{system.url}/users/login", auth=(user["username"], user["password"]))
    return str(answer.raise_for_status().json()["token"])


def assert_one_tree(spans: list[Span]) -> None:
    """Check that the parent of each span is another span or the span of the caller."""
    known = {span.span_id for span in spans} | {CALLER_SPAN}
    assert [span for span in spans if span.parent_id not in known] == []


def test_a_deletion_is_one_trace_from_the_ingress_to_the_statements_of_the_inventory(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase, deletion, unsampled = (f"{number:032x}" for number in (0xA1, 0xA2, 0xA3))
    with SpanCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        with running(data_folder) as system:
            token = sign_up(system)
            client = buy(system, token, purchase)
            listed = f"{system.url}/clients/fetch?name=Segredo"
            httpx.get(listed, headers=headers(unsampled, token, "00"))
            path = f"{system.url}/clients/delete/{client}"
            httpx.delete(path, headers=headers(deletion, token)).raise_for_status()
            parts = {"ingress", "clients", "clients-relay", "inventory"}
            wait_until(
                lambda: {span.service for span in collector.of_trace(deletion)} >= parts,
                "the whole trace",
                30,
            )
    log = (data_folder / "logs" / "inventory.log").read_text()  # complete after the stop
    assert_one_tree(collector.of_trace(deletion))
    assert_one_tree(collector.of_trace(purchase))
    assert_names(collector.of_trace(deletion), "clients.delete", "tell client", "DELETE")
    assert {span.service for span in collector.of_trace(purchase)} >= {"inventory", "products"}
    assert collector.of_trace(unsampled) == []
    lines = [json.loads(line) for line in log.splitlines() if deletion in line]
    assert [line["route"] for line in lines] == ["/inventory/remove_many"]
    for secret in (*map(str, PERSON.values()), "Segredos-demais", token):
        assert secret.encode() not in collector.raw


def buy(system: System, token: str, trace_id: str) -> int:
    """Create a client and a product, add a traced purchase, and return the client's id."""
    with httpx.Client(base_url=system.url, headers=headers("f" * 32, token)) as http:
        client = http.post("/clients/create", json=PERSON).raise_for_status().json()["id"]
        product = {"name": "X", "description": "", "quantity": 1, "price": 1, "status": True}
        product_id = http.post("/products/create", json=product).raise_for_status().json()["id"]
        entry = {
            "client_id": client,
            "product_id": product_id,
            "number_of_items": 1,
            "purchase_date": "2026-01-01T00:00:00",
        }
        http.headers.update(headers(trace_id))
        http.post("/inventory/add_product", json=entry).raise_for_status()
    return int(client)


def assert_names(spans: list[Span], *expected: str) -> None:
    """Check the names of spans, and that their statements contain no values."""
    names = {span.name for span in spans}
    assert names >= set(expected), names
    statements = [span.attributes.get("db.query.text", "") for span in spans]
    assert any("%(" in statement for statement in statements)
    assert not any(re.search(r"= ?\d|'\d", statement) for statement in statements)


def test_telemetry_libraries_are_not_imported_by_default(tmp_path: Path) -> None:
    program = (
        "import sys; from clients.app import create_app; create_app();"
        "print([name for name in sys.modules if 'opentelemetry' in name or 'prometheus' in name])"
    )
    secret = tmp_path / "secret"
    secret.write_text("x")
    settings = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/clients",
        "CONTRACTS_DIR": str(CONTRACTS),
        "JWKS_URL": "http://127.0.0.1:9/users/jwks.json",
        "TOKEN_URL": "http://127.0.0.1:9/users/token",
        "SERVICE_CLIENT_ID": "clients",
        "SERVICE_CLIENT_SECRET_FILE": str(secret),
        "INVENTORY_URL": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
