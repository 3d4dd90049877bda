"""Rows that each process creates before the load."""

from typing import Any

import gevent

from load.users import fake_data
from load.users.api_client import ApiClient
from load.users.token_provider import LoginError

SEED_ROWS = 30  # clients, and as many products
MAX_ATTEMPTS = 5
RETRY_INTERVAL_SECONDS = 1


def seed(api: ApiClient, count: int = SEED_ROWS) -> None:
    """Create clients and products.

    Raises:
        LoginError: a row cannot be created.

    """
    dataset = api.dataset
    for _ in range(count):
        client = fake_data.client(dataset.run_id)
        dataset.clients[_create_with_retries(api, "clients.create", client)] = client
        product = fake_data.product(dataset.run_id)
        dataset.products.append(_create_with_retries(api, "products.create", product))
    api.recording.drain()  # seeding is no part of the result


def _create_with_retries(api: ApiClient, name: str, body: dict[str, Any]) -> int:
    for _ in range(MAX_ATTEMPTS):
        response = api.call(name, body=body)
        if response.is_ok:
            return int(response.body["id"])
        gevent.sleep(RETRY_INTERVAL_SECONDS)
    raise LoginError(f"{name} ended with {response.outcome}, {MAX_ATTEMPTS} times")
