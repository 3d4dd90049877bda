"""Versions, idempotency keys and concurrent requests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import httpx

from servicekit.testing import ContractClient
from tests.support.products.request_bodies import product_body

WRITERS = 50


def at_once(call: Callable[[int], httpx.Response]) -> list[int]:
    """Call a function in many threads at once, and return the statuses."""
    barrier = Barrier(WRITERS)

    def one(number: int) -> int:
        barrier.wait()
        return call(number).status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        return sorted(pool.map(one, range(WRITERS)))


def test_the_entity_tag_is_returned_and_recognized(api: ContractClient) -> None:
    made = api.post("/products/create", json=product_body())
    path, tag = f"/products/fetch/{made.json()['id']}", made.headers["ETag"]
    assert api.get(path).headers["ETag"] == tag
    known = api.get(path, headers={"If-None-Match": tag})
    assert (known.status_code, known.headers["ETag"]) == (304, tag)
    assert api.get(path, headers={"If-None-Match": '"999"'}).status_code == 200


def test_one_of_many_concurrent_updates_of_a_version_succeeds(api: ContractClient) -> None:
    body = product_body()
    made = api.post("/products/create", json=body)
    path, tag = f"/products/update/{made.json()['id']}", made.headers["ETag"]
    statuses = at_once(
        lambda n: api.put(path, json={**body, "quantity": n}, headers={"If-Match": tag})
    )
    assert statuses == [200] + [412] * (WRITERS - 1)


def test_a_deletion_of_an_old_version_is_rejected(api: ContractClient) -> None:
    made = api.post("/products/create", json=product_body())
    product_id, first = made.json()["id"], made.headers["ETag"]
    current = api.put(f"/products/update/{product_id}", json=product_body()).headers["ETag"]
    path = f"/products/delete/{product_id}"
    assert api.delete(path, headers={"If-Match": first}).status_code == 412
    assert api.get(f"/products/fetch/{product_id}").headers["ETag"] == current
    assert api.delete(path, headers={"If-Match": current}).status_code == 200


def test_conditions_exclude_versions_of_writes_and_name_those_of_reads(
    api: ContractClient,
) -> None:
    made = api.post("/products/create", json=product_body())
    product_id, tag = made.json()["id"], made.headers["ETag"]
    for excluded in ({"If-None-Match": "*"}, {"If-None-Match": f"W/{tag}"}):
        path = f"/products/update/{product_id}"
        assert api.put(path, json=product_body(), headers=excluded).status_code == 412
        assert api.delete(f"/products/delete/{product_id}", headers=excluded).status_code == 412
    path = f"/products/fetch/{product_id}"
    assert api.get(path, headers={"If-Match": '"999"'}).status_code == 412
    assert api.get(path, headers={"If-Match": tag}).status_code == 200


def test_one_of_many_concurrent_creations_with_a_name_succeeds(api: ContractClient) -> None:
    name = product_body()["name"]
    spelt = (name, name.upper(), name.lower())
    statuses = at_once(lambda n: api.post("/products/create", json=product_body(name=spelt[n % 3])))
    assert statuses == [201] + [409] * (WRITERS - 1)
    found = [api.get("/products/fetch", params={"name": each}).json() for each in spelt]
    assert [len(products) for products in found] == [1, 1, 1]
    assert len({product["id"] for products in found for product in products}) == 1


def test_one_of_many_concurrent_deletions_succeeds(api: ContractClient) -> None:
    product_id = api.post("/products/create", json=product_body()).json()["id"]
    statuses = at_once(lambda _: api.delete(f"/products/delete/{product_id}"))
    assert statuses == [200] + [404] * (WRITERS - 1)


def test_a_retry_with_the_same_key_creates_nothing(api: ContractClient) -> None:
    body, key = product_body(), {"Idempotency-Key": str(uuid4())}
    first = api.post("/products/create", json=body, headers=key)
    again = api.post("/products/create", json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["ETag"] == first.headers["ETag"]
    assert api.post("/products/create", json=product_body(), headers=key).status_code == 422
    assert len(api.get("/products/fetch", params={"name": body["name"]}).json()) == 1
