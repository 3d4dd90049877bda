"""Versions, retries and races: no update is lost, nothing is made twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx

from servicekit.testing import ContractClient, FakeIssuer
from tests.support.clients.request_bodies import address_body, client_body

WRITERS = 50


def at_once(count: int, call: Callable[[int], httpx.Response]) -> list[int]:
    """Call from as many threads at the same moment, and return the statuses."""
    barrier = Barrier(count)

    def one(number: int) -> int:
        barrier.wait()
        return call(number).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(one, range(count)))


def test_a_version_is_told_and_known_again(api: ContractClient) -> None:
    made = api.post("/clients/create", json=client_body())
    path = f"/clients/fetch/{made.json()['id']}"
    tag = made.headers["ETag"]
    assert api.get(path).headers["ETag"] == tag
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = api.get(path, headers={"If-None-Match": known})
        assert answer.status_code == 304
        assert answer.headers["ETag"] == tag
    assert api.get(path, headers={"If-None-Match": '"999"'}).status_code == 200


def test_an_update_against_an_old_version_is_refused(api: ContractClient) -> None:
    made = api.post("/clients/create", json=client_body())
    client_id, first = made.json()["id"], made.headers["ETag"]
    path = f"/clients/update/{client_id}"
    answer = api.put(path, json=client_body(name="Nova"), headers={"If-Match": first})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != first
    for stale in (first, f"W/{answer.headers['ETag']}", '"x"'):
        refused = api.put(path, json=client_body(name="Velha"), headers={"If-Match": stale})
        assert refused.status_code == 412
    assert api.get(f"/clients/fetch/{client_id}").json()["name"] == "Nova"
    assert api.put(path, json=client_body(), headers={"If-Match": "*"}).status_code == 200


def test_an_address_has_versions_too(api: ContractClient) -> None:
    client_id = api.post("/clients/create", json=client_body()).json()["id"]
    made = api.post("/address/create", json=address_body(client_id=client_id))
    path = f"/address/update/{made.json()['id']}"
    tag = {"If-Match": made.headers["ETag"]}
    assert api.put(path, json=address_body(number=2), headers=tag).status_code == 200
    assert api.put(path, json=address_body(number=3), headers=tag).status_code == 412
    assert api.get(f"/address/fetch/{client_id}").json()[0]["number"] == 2


def test_of_fifty_writers_with_one_version_one_wins(api: ContractClient) -> None:
    body = client_body()
    made = api.post("/clients/create", json=body)
    client_id, tag = made.json()["id"], made.headers["ETag"]

    def write(number: int) -> httpx.Response:
        return api.put(
            f"/clients/update/{client_id}",
            json={**body, "name": f"Writer {number}"},
            headers={"If-Match": tag},
        )

    assert at_once(WRITERS, write) == [200] + [412] * (WRITERS - 1)


def test_of_fifty_creates_with_one_email_or_cpf_one_wins(api: ContractClient) -> None:
    def with_one(field: str, spell: Callable[[str, int], str]) -> list[int]:
        value = client_body()[field]
        return at_once(
            WRITERS,
            lambda n: api.post("/clients/create", json=client_body(**{field: spell(value, n)})),
        )

    one_of_fifty = [201] + [409] * (WRITERS - 1)
    assert with_one("email", lambda e, n: e.upper() if n % 2 else e) == one_of_fifty
    bare = str.maketrans("", "", ".-")
    assert with_one("cpf", lambda c, n: c.translate(bare) if n % 2 else c) == one_of_fifty


def test_a_retry_with_its_key_makes_nothing_new(api: ContractClient) -> None:
    body: dict[str, Any] = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    first = api.post("/clients/create", json=body, headers=key)
    again = api.post("/clients/create", json=body, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(api.get("/clients/fetch", params={"cpf": body["cpf"]}).json()) == 1


def test_a_key_that_comes_with_another_body_is_refused(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    api.post("/clients/create", json=body, headers=key)
    assert api.post("/clients/create", json=client_body(), headers=key).status_code == 422


def test_a_key_is_its_callers_own(api: ContractClient, issuer: FakeIssuer) -> None:
    key = {"Idempotency-Key": client_body()["email"].encode().hex()}
    first = api.post("/clients/create", json=client_body(), headers=key)
    with api.as_caller(issuer.token(sub="user:2")) as other:
        second = other.post("/clients/create", json=client_body(), headers=key)
    assert first.json()["id"] != second.json()["id"]


def test_a_refused_write_does_not_use_its_key_up(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    taken = client_body()
    api.post("/clients/create", json=taken)
    refused = api.post("/clients/create", json={**body, "cpf": taken["cpf"]}, headers=key)
    assert refused.status_code == 409
    assert api.post("/clients/create", json=body, headers=key).status_code == 201


def test_of_fifty_sendings_of_one_request_one_makes_a_client(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    statuses = at_once(WRITERS, lambda _: api.post("/clients/create", json=body, headers=key))
    assert set(statuses) <= {201, 409}  # 409: the first one was still running
    assert 201 in statuses
    assert len(api.get("/clients/fetch", params={"cpf": body["cpf"]}).json()) == 1
