"""Versions, idempotency keys and concurrent requests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from servicekit.testing import ContractClient, FakeIssuer
from tests.support.clients.request_bodies import address_body, client_body

WRITERS = 50


def at_once(count: int, call: Callable[[int], httpx.Response]) -> list[int]:
    """Call a function in many threads at once, and return the statuses."""
    barrier = Barrier(count)

    def one(number: int) -> int:
        barrier.wait()
        return call(number).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(one, range(count)))


def test_the_entity_tag_is_returned_and_recognized(api: ContractClient) -> None:
    made = api.post("/clients/create", json=client_body())
    path = f"/clients/fetch/{made.json()['id']}"
    tag = made.headers["ETag"]
    assert api.get(path).headers["ETag"] == tag
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = api.get(path, headers={"If-None-Match": known})
        assert answer.status_code == 304
        assert answer.headers["ETag"] == tag
    assert api.get(path, headers={"If-None-Match": '"999"'}).status_code == 200


def test_an_update_of_an_old_version_is_rejected(api: ContractClient) -> None:
    made = api.post("/clients/create", json=client_body())
    client_id, first = made.json()["id"], made.headers["ETag"]
    path = f"/clients/update/{client_id}"
    answer = api.put(path, json=client_body(name="Nova"), headers={"If-Match": first})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != first
    zero = f'"0{answer.headers["ETag"][1:]}'  # tags are compared by character (RFC 9110, 8.8.3.2)
    for stale in (first, f"W/{answer.headers['ETag']}", '"x"', zero):
        refused = api.put(path, json=client_body(name="Velha"), headers={"If-Match": stale})
        assert refused.status_code == 412
    assert api.get(f"/clients/fetch/{client_id}").json()["name"] == "Nova"
    assert api.put(path, json=client_body(), headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("form", ['"x",\t{}', '"x",,{}', "{},", ',{}, "x"'])
def test_a_list_of_tags_may_have_empty_elements_and_tabs(api: ContractClient, form: str) -> None:
    made = api.post("/clients/create", json=client_body())
    path, tag = f"/clients/update/{made.json()['id']}", made.headers["ETag"]
    headers = {"If-Match": form.format(tag)}
    assert api.put(path, json=client_body(), headers=headers).status_code == 200


def test_an_address_has_versions_too(api: ContractClient) -> None:
    client_id = api.post("/clients/create", json=client_body()).json()["id"]
    made = api.post("/address/create", json=address_body(client_id=client_id))
    path = f"/address/update/{made.json()['id']}"
    tag = {"If-Match": made.headers["ETag"]}
    assert api.put(path, json=address_body(number=2), headers=tag).status_code == 200
    assert api.put(path, json=address_body(number=3), headers=tag).status_code == 412
    assert api.get(f"/address/fetch/{client_id}").json()[0]["number"] == 2


@pytest.mark.parametrize("what", ["clients", "address"])
def test_a_deletion_of_an_old_version_is_rejected(api: ContractClient, what: str) -> None:
    made = api.post("/clients/create", json=client_body())
    client_id, body = made.json()["id"], client_body()
    if what == "address":
        made = api.post("/address/create", json=address_body(client_id=client_id))
        body = address_body()
    row_id, first = made.json()["id"], made.headers["ETag"]
    current = api.put(f"/{what}/update/{row_id}", json=body).headers["ETag"]
    path = f"/{what}/delete/{row_id}"
    for stale in (first, f"W/{current}", '"x"', f'"0{current[1:]}'):
        assert api.delete(path, headers={"If-Match": stale}).status_code == 412
    found = api.get(f"/{what}/fetch/{client_id}").json()
    assert (found["email"] if what == "clients" else found[0]["id"]) in (body.get("email"), row_id)
    assert api.delete(path, headers={"If-Match": f'"x", {current}'}).status_code == 200
    assert api.delete(path, headers={"If-Match": current}).status_code == 404


def test_a_deletion_of_any_version_succeeds(api: ContractClient) -> None:
    path = f"/clients/delete/{api.post('/clients/create', json=client_body()).json()['id']}"
    assert api.delete(path, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("what", ["clients", "address"])
@pytest.mark.parametrize("form", ["*", "{}", "W/{}", '"x", {}'])
def test_a_change_or_deletion_of_an_excluded_version_is_rejected(
    api: ContractClient, what: str, form: str
) -> None:
    made = api.post("/clients/create", json=client_body())
    client_id, body = made.json()["id"], client_body()
    if what == "address":
        made = api.post("/address/create", json=address_body(client_id=client_id))
        body = address_body()
    row_id, tag = made.json()["id"], made.headers["ETag"]
    update, delete = f"/{what}/update/{row_id}", f"/{what}/delete/{row_id}"
    excluded = {"If-None-Match": form.format(tag)}
    assert api.put(update, json=body, headers=excluded).status_code == 412
    assert api.put(update, json=body, headers={"If-Match": tag, **excluded}).status_code == 412
    assert api.delete(delete, headers=excluded).status_code == 412
    other = {"If-None-Match": '"x", "999"'}
    assert api.put(update, json=body, headers={"If-Match": tag, **other}).status_code == 200
    assert api.put(update, json=body, headers=other).status_code == 200
    assert api.delete(delete, headers=other).status_code == 200
    assert api.delete(delete, headers={"If-None-Match": "*"}).status_code == 404


def test_a_read_of_an_old_version_is_rejected(api: ContractClient) -> None:
    made = api.post("/clients/create", json=client_body())
    path, tag = f"/clients/fetch/{made.json()['id']}", made.headers["ETag"]
    for call in (api.get, api.head):
        for stale in ('"999"', f"W/{tag}", '"x"', f'"0{tag[1:]}'):
            assert call(path, headers={"If-Match": stale}).status_code == 412
            # If-Match comes first (RFC 9110, section 13.2.2)
            headers = {"If-Match": stale, "If-None-Match": tag}
            assert call(path, headers=headers).status_code == 412
        for known in ("*", tag, f'"x", {tag}'):
            assert call(path, headers={"If-Match": known}).status_code == 200
        headers = {"If-Match": tag, "If-None-Match": tag}
        assert call(path, headers=headers).status_code == 304
    missing = api.get("/clients/fetch/999999", headers={"If-Match": "*"})
    assert missing.status_code == 404


def test_one_of_many_concurrent_updates_of_a_version_succeeds(api: ContractClient) -> None:
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


def test_one_of_many_concurrent_creations_with_an_email_or_cpf_succeeds(
    api: ContractClient,
) -> None:
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


def test_a_retry_with_the_same_key_creates_nothing(api: ContractClient) -> None:
    body: dict[str, Any] = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    first = api.post("/clients/create", json=body, headers=key)
    again = api.post("/clients/create", json=body, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(api.get("/clients/fetch", params={"cpf": body["cpf"]}).json()) == 1


def test_a_key_with_another_body_is_rejected(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    api.post("/clients/create", json=body, headers=key)
    assert api.post("/clients/create", json=client_body(), headers=key).status_code == 422


def test_keys_of_different_callers_are_independent(api: ContractClient, issuer: FakeIssuer) -> None:
    key = {"Idempotency-Key": client_body()["email"].encode().hex()}
    first = api.post("/clients/create", json=client_body(), headers=key)
    with api.as_caller(issuer.token(sub="user:2")) as other:
        second = other.post("/clients/create", json=client_body(), headers=key)
    assert first.json()["id"] != second.json()["id"]


def test_a_rejected_request_does_not_use_up_its_key(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    taken = client_body()
    api.post("/clients/create", json=taken)
    refused = api.post("/clients/create", json={**body, "cpf": taken["cpf"]}, headers=key)
    assert refused.status_code == 409
    assert api.post("/clients/create", json=body, headers=key).status_code == 201


def test_concurrent_requests_with_one_key_create_one_client(api: ContractClient) -> None:
    body = client_body()
    key = {"Idempotency-Key": body["email"].encode().hex()}
    statuses = at_once(WRITERS, lambda _: api.post("/clients/create", json=body, headers=key))
    assert set(statuses) <= {201, 409}  # 409: the first request is still running
    assert 201 in statuses
    assert len(api.get("/clients/fetch", params={"cpf": body["cpf"]}).json()) == 1
