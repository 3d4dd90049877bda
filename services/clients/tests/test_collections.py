"""Collections: keyset pagination, links and filters."""

import re
from urllib.parse import urljoin

import httpx
import pytest

from servicekit.testing import ContractClient
from tests.support.clients.request_bodies import address_body, client_body

PREFIX = "/shop"  # which a proxy strips


def next_page(answer: httpx.Response) -> str | None:
    """Return the path of the next page, as behind a proxy that strips a prefix."""
    link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    if link is None:
        return None
    path: str = urljoin(PREFIX + answer.url.raw_path.decode(), link[1])
    assert path.startswith(f"{PREFIX}/")
    return path.removeprefix(PREFIX)


def registered(api: ContractClient, count: int, **changes: str) -> list[int]:
    """Create clients and return their ids."""
    answers = [api.post("/clients/create", json=client_body(**changes)) for _ in range(count)]
    return [answer.json()["id"] for answer in answers]


def test_following_the_links_returns_every_client_once(api: ContractClient) -> None:
    ids = registered(api, 5, name="Paginada")
    seen: list[int] = []
    path: str | None = "/clients/fetch?limit=2&name=Paginada"
    while path:
        answer = api.get(path)
        seen += [client["id"] for client in answer.json()]
        path = next_page(answer)
    assert seen == ids


@pytest.mark.parametrize("path", ["/clients/fetch/", "/address/fetch", "/address/fetch/{id}"])
def test_the_link_of_every_list_is_relative(api: ContractClient, path: str) -> None:
    client_id, _ = registered(api, 2)
    body = address_body()
    for _ in range(2):
        api.post("/address/create", json={"client_id": client_id, **body})
    answer = api.get(path.format(id=client_id), params={"limit": 1, "after": 0})
    following = next_page(answer)
    assert following is not None
    assert api.get(following).json()[0]["id"] > answer.json()[0]["id"]


def test_the_last_page_has_no_link(api: ContractClient) -> None:
    ids = registered(api, 2, name="Última")
    answer = api.get("/clients/fetch", params={"name": "Última", "limit": 2})
    assert [client["id"] for client in answer.json()] == ids
    assert "Link" not in answer.headers


def test_after_excludes_the_given_id(api: ContractClient) -> None:
    first, second = registered(api, 2)
    shown = api.get("/clients/fetch", params={"after": first}).json()
    assert shown[0]["id"] == second


def test_clients_are_filtered_by_name_email_and_cpf(api: ContractClient) -> None:
    body = client_body(name="Procurada")
    client_id = api.post("/clients/create", json=body).json()["id"]
    for query in (
        {"email": body["email"].upper()},
        {"cpf": body["cpf"]},
        {"cpf": body["cpf"].replace(".", "").replace("-", "")},
        {"cpf": body["cpf"], "name": "Procurada"},
    ):
        found = api.get("/clients/fetch", params=query).json()
        assert [client["id"] for client in found] == [client_id]
    assert api.get("/clients/fetch", params={"cpf": body["cpf"], "name": "Outra"}).json() == []


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ("ana@example.com", "ANA@example.com"),
        ("jos\u00e9@example.com", "jose\u0301@example.com"),
        ("a@b\u00fccher.example", "a@bu\u0308cher.example"),
        ("b@b\u00fccher.example", "b@xn--bcher-kva.example"),
        ("c@xn--bcher-kva.example", "C@B\u00dcCHER.example"),
        ("d@example.com", "d@\uff25xample\u3002com"),
        ("\u0390@example.com", "\u03b9\u0308\u0301@example.com"),
        ("\u01f0@example.com", "J\u030c@example.com"),
        ("\u1e96@example.com", "\u1e96@EXAMPLE.com"),
    ],
)
def test_a_client_is_found_by_its_email_in_every_form_that_is_a_duplicate(
    api: ContractClient, given: str, other: str
) -> None:
    client_id = api.post("/clients/create", json=client_body(email=given)).json()["id"]
    for form in (given, other):
        assert api.post("/clients/create", json=client_body(email=form)).status_code == 409
        found = api.get("/clients/fetch", params={"email": form}).json()
        assert [client["id"] for client in found] == [client_id]
    api.delete(f"/clients/delete/{client_id}")


def test_an_invalid_email_finds_no_client(api: ContractClient) -> None:
    for text in ("a@localhost", "a@-example.com", "\u0345@\u0345"):
        answer = api.get("/clients/fetch", params={"email": text})
        assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ("Procurado Jo\u00e3o", "procurado joa\u0303o"),
        ("Procurado \u01f0", "PROCURADO J\u030c"),
        ("Procurada Gr\u00f6\u00dfe", "PROCURADA GRO\u0308SSE"),
        ("Procurado \u1100\u1161", "procurado \uac00"),
    ],
)
def test_clients_are_filtered_by_name_in_any_case_and_composition(
    api: ContractClient, given: str, other: str
) -> None:
    ids = registered(api, 2, name=given)
    for name in (given, other):
        found = api.get("/clients/fetch", params={"name": name}).json()
        assert [client["id"] for client in found] == ids
        assert {client["name"] for client in found} == {given}


def test_an_invalid_query_is_rejected(api: ContractClient) -> None:
    for query, field in (
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("after=-1", "after"),
        ("surprise=1", "surprise"),
        ("limit=1&limit=2", "limit"),
        ("cpf=123", "cpf"),
        ("name=%00", "name"),
        ("name=%FF", "name"),
        ("email=a%C3", "email"),
        ("limit=1&name=%ED%A0%80", "name"),
        ("limit=1&" * 1025, "query"),
        ("limit=1&" * 64, "query"),
        ("&" * 8193, "query"),
        ("name=" + "%41" * 2800, "query"),
    ):
        answer = api.get(f"/clients/fetch?{query}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field
