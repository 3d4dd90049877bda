"""A worker that hangs: the ingress responds for it, and no retried write is doubled."""

import threading
from pathlib import Path

import httpx
import pytest

from servicekit.testing import wait_until
from tests.support.accounts import create_user, log_in, new_client, new_purchase
from tests.support.local_system import START_TIMEOUT, System, running

PRODUCT = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
DATE = "2026-01-01T00:00:00"


def assert_asks_to_retry(response: httpx.Response, status: int) -> None:
    """Check that a response is a problem document with ``Retry-After``."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["status"] == status


def user_of(system: System) -> httpx.Client:
    """Return a client of HTTP with the token of a new user."""
    token = log_in(system.url, create_user(system.url, "hung"))
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=system.url, headers=headers, timeout=60)


@pytest.mark.slow
def test_the_ingress_responds_for_a_worker_that_hangs_and_no_retry_doubles_a_write(
    data_folder: Path,
) -> None:
    with running(data_folder) as system, user_of(system) as http:
        client = http.post("/clients/create", json=new_client("Ana", "hung")).json()["id"]
        product = http.post("/products/create", json=PRODUCT).json()["id"]

        def buy() -> httpx.Response:
            body = new_purchase(client, product, DATE)
            key = {"Idempotency-Key": "purchase-of-a-keyboard"}
            return http.post("/inventory/add_product", json=body, headers=key)

        worker = system.part("gunicorn", "inventory.app").children()[0]
        worker.suspend()
        responses: list[httpx.Response] = []
        in_flight = threading.Thread(target=lambda: responses.append(buy()))
        in_flight.start()
        path = f"/inventory/list_products_ids/{client}"
        wait_until(
            lambda: http.get("/inventory/health").status_code == 503,
            "the ingress to respond for the service",
            START_TIMEOUT,
        )
        assert http.get("/products/health").is_success
        assert_asks_to_retry(http.get(path), 503)
        assert_asks_to_retry(buy(), 503)
        assert http.head(path).content == b""
        in_flight.join()
        assert_asks_to_retry(responses[0], 504)
        assert "Idempotency-Key" in responses[0].json()["msg"]

        worker.resume()
        wait_until(lambda: buy().status_code == 201, "the service to continue", START_TIMEOUT)
        assert len(http.get(path).json()) == 1
