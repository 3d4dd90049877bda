"""Concurrent requests with one idempotency key."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, wait_until
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.purchases import purchase_body

SENDERS = 30


def test_concurrent_requests_with_one_key_add_one_entry(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    body, key = (
        purchase_body(clients.create(), products.create()),
        {"Idempotency-Key": str(uuid4())},
    )
    barrier = Barrier(SENDERS)

    def send(_: int) -> int:
        barrier.wait()
        return api.post("/inventory/add_product", json=body, headers=key).status_code

    with ThreadPoolExecutor(SENDERS) as pool:
        statuses = set(pool.map(send, range(SENDERS)))
    assert statuses <= {201, 409}  # 409: the first request is still running
    assert 201 in statuses
    assert len(api.get(f"/inventory/list_products_ids/{body['client_id']}").json()) == 1


def test_a_request_during_an_identical_one_returns_409(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, database_url: str
) -> None:
    body, key = (
        purchase_body(clients.create(), products.create()),
        {"Idempotency-Key": str(uuid4())},
    )
    running = text(
        "SELECT count(*) FROM pg_locks WHERE relation = 'gone'::regclass AND NOT granted"
    )
    engine = create_engine(driver_url(database_url))
    with ThreadPoolExecutor(1) as pool, engine.begin() as holder:
        holder.execute(text("LOCK TABLE gone"))
        first = pool.submit(api.post, "/inventory/add_product", json=body, headers=key)
        wait_until(lambda: holder.scalar(running) == 1, "the first to be in its transaction")
        second = api.post("/inventory/add_product", json=body, headers=key)
        assert second.status_code == 409
        assert int(second.headers["Retry-After"]) >= 1
        holder.rollback()
        assert first.result().status_code == 201
    assert len(api.get(f"/inventory/list_products_ids/{body['client_id']}").json()) == 1
