"""Products and their validation."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, FakeIssuer
from tests.support.products.request_bodies import product_body

ABSENT = 2**62


def created(api: ContractClient, body: dict[str, Any]) -> int:
    """Create a product and return its id."""
    answer = api.post("/products/create", json=body)
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def outbox(database_url: str, product_id: int) -> list[str]:
    """Return the enqueued messages about a product."""
    query = text("SELECT kind FROM outbox WHERE subject_id = :id")
    with create_engine(driver_url(database_url)).connect() as connection:
        return list(connection.scalars(query, {"id": product_id}))


def test_a_product_is_returned_as_stored(api: ContractClient) -> None:
    body = product_body()
    product_id = created(api, body)
    assert api.get(f"/products/fetch/{product_id}").json() == {"id": product_id, **body}


def test_an_update_replaces_all_of_a_product(api: ContractClient) -> None:
    product_id = created(api, product_body())
    other = product_body(description="", quantity=0, price=0, status=False)
    answer = api.put(f"/products/update/{product_id}", json=other)
    assert answer.json() == {"msg": "Product updated"}
    shown = api.get(f"/products/fetch/{product_id}").json()
    assert shown == {"id": product_id, **other, "price": "0.00"}


def test_a_product_may_keep_its_name_in_an_update(api: ContractClient) -> None:
    body = product_body()
    product_id = created(api, body)
    answer = api.put(f"/products/update/{product_id}", json={**body, "quantity": 1})
    assert answer.status_code == 200
    assert api.get(f"/products/fetch/{product_id}").json()["quantity"] == 1


def test_a_deleted_product_is_not_found(api: ContractClient) -> None:
    body = product_body()
    product_id = created(api, body)
    assert api.delete(f"/products/delete/{product_id}").json() == {"msg": "Product deleted"}
    assert api.get(f"/products/fetch/{product_id}").status_code == 404
    assert api.delete(f"/products/delete/{product_id}").status_code == 404
    assert created(api, body) > product_id  # the name is free, the id is not reused


def test_the_existence_check_returns_the_name(api: ContractClient) -> None:
    body = product_body()
    product_id = created(api, body)
    exists = f"/products/exists/{product_id}"
    assert api.get(exists).json() == {"status": True, "product_name": body["name"]}
    renamed = product_body()
    api.put(f"/products/update/{product_id}", json=renamed)
    assert api.get(exists).json() == {"status": True, "product_name": renamed["name"]}
    api.delete(f"/products/delete/{product_id}")
    assert api.get(exists).json() == {"status": False}


def test_a_deletion_enqueues_a_message_for_the_inventory(
    api: ContractClient, database_url: str
) -> None:
    product_id = created(api, product_body())
    assert outbox(database_url, product_id) == []
    api.delete(f"/products/delete/{product_id}")
    assert outbox(database_url, product_id) == ["product"]


def test_deleting_a_missing_product_enqueues_no_message(
    api: ContractClient, database_url: str
) -> None:
    assert api.delete(f"/products/delete/{ABSENT}").status_code == 404
    assert outbox(database_url, ABSENT) == []


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (100.00, "100.00"),
        (0, "0.00"),
        ("1.5", "1.50"),
        (9999999999.99, "9999999999.99"),
        (0.1, "0.10"),
        ("1.100", "1.10"),
    ],
)
def test_a_price_is_exact(api: ContractClient, given: float | str, stored: str) -> None:
    product_id = created(api, product_body(price=given))
    assert api.get(f"/products/fetch/{product_id}").json()["price"] == stored


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 200),
        ("name", "ç" * 200),
        ("name", "\N{GRINNING FACE}" * 200),
        ("name", "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 200),
        ("description", ""),
        ("description", "d" * 2000),
        ("description", "duas\nlinhas"),
        ("description", "[" * 2000),
        ("quantity", 2**31 - 1),
    ],
)
def test_maximum_values_are_stored(api: ContractClient, field: str, value: object) -> None:
    body = product_body(**{field: value})
    product_id = created(api, body)
    assert api.get(f"/products/fetch/{product_id}").json()[field] == value
    assert api.delete(f"/products/delete/{product_id}").status_code == 200


def test_the_largest_valid_body_is_accepted(api: ContractClient) -> None:
    body = product_body(name="," * 200, description="[" * 1000 + ":" * 1000)
    product_id = created(api, body)
    assert api.get(f"/products/fetch/{product_id}").json()["description"] == body["description"]
    assert api.delete(f"/products/delete/{product_id}").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\u200b\u00a0"),
        ("name", " "),
        ("name", "x" * 201),
        ("name", None),
        ("name", "Teclado\n"),
        ("description", "x" * 2001),
        ("description", 1),
        ("description", "\x07"),
        ("quantity", -1),
        ("quantity", 1.5),
        ("quantity", "1"),
        ("quantity", True),
        ("quantity", 2**31),
        ("price", -0.01),
        ("price", 10000000000),
        ("price", 30.255),
        ("price", "1e3"),
        ("price", "30,25"),
        ("status", "true"),
        ("status", 1),
        ("status", None),
        ("surprise", 1),
        ("name", ...),
        ("description", ...),
        ("quantity", ...),
        ("price", ...),
        ("status", ...),
    ],
)
def test_an_invalid_field_is_named(api: ContractClient, field: str, value: object) -> None:
    for answer in (
        api.post("/products/create", json=product_body(**{field: value})),
        api.put("/products/update/1", json=product_body(**{field: value})),
    ):
        assert answer.status_code == 400
        assert field in {error["field"] for error in answer.json()["errors"]}


def test_names_are_unique(api: ContractClient) -> None:
    first, second = product_body(), product_body()
    first_id, second_id = created(api, first), created(api, second)
    for answer in (
        api.post("/products/create", json=product_body(name=first["name"])),
        api.put(f"/products/update/{second_id}", json={**second, "name": first["name"]}),
    ):
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["field"] == "name"
    assert api.get(f"/products/fetch/{second_id}").json()["name"] == second["name"]
    found = api.get("/products/fetch", params={"name": first["name"]}).json()
    assert [product["id"] for product in found] == [first_id]


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        str.lower,
        lambda name: name.replace("ç", "c\u0327").replace("ß", "SS"),
        lambda name: (
            name.replace("ΐ", "\u03aa\u0301").replace("ǰ", "J\u030c").replace("ẖ", "H\u0331")
        ),
        lambda name: unicodedata.normalize("NFD", name).upper(),
    ],
)
def test_names_are_unique_regardless_of_case_and_composition(
    api: ContractClient, spell: Callable[[str], str]
) -> None:
    first, second = product_body(), product_body()
    first["name"] = f"Calça Größe ǰ ẖ ΐ {first['name']}"
    first_id = created(api, first)
    second_id = created(api, second)
    spelt = spell(first["name"])
    for answer in (
        api.post("/products/create", json=product_body(name=spelt)),
        api.put(f"/products/update/{second_id}", json={**second, "name": spelt}),
    ):
        assert answer.status_code == 409
        assert answer.json()["errors"] == [
            {"field": "name", "reason": "Another product has this name"}
        ]
    assert api.get(f"/products/fetch/{second_id}").json()["name"] == second["name"]
    found = api.get("/products/fetch", params={"name": spelt}).json()
    assert [product["id"] for product in found] == [first_id]


def test_an_update_may_change_the_case_of_a_name(api: ContractClient) -> None:
    body = product_body()
    product_id = created(api, body)
    loud = {**body, "name": body["name"].upper()}
    assert api.put(f"/products/update/{product_id}", json=loud).status_code == 200
    assert api.get(f"/products/fetch/{product_id}").json()["name"] == loud["name"]


@pytest.mark.parametrize("product_id", ["0", "-1", "9223372036854775808", "abc", "1.0"])
def test_an_invalid_id_is_named(api: ContractClient, product_id: str) -> None:
    for method, path, body in (
        ("GET", "fetch", None),
        ("PUT", "update", product_body()),
        ("DELETE", "delete", None),
        ("GET", "exists", None),
    ):
        answer = api.request(method, f"/products/{path}/{product_id}", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "product_id"


def test_an_unknown_product_is_not_found(api: ContractClient) -> None:
    assert api.get(f"/products/fetch/{ABSENT}").status_code == 404
    assert api.put(f"/products/update/{ABSENT}", json=product_body()).status_code == 404


def test_the_synthetic_and_the_live_realm_are_isolated(
    api: ContractClient, issuer: FakeIssuer
) -> None:
    body = product_body()
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        synthetic_id = created(monitor, body)
        live_id = created(api, body)  # the same name in each realm
        for caller, other in ((api, synthetic_id), (monitor, live_id)):
            assert caller.get(f"/products/fetch/{other}").status_code == 404
            assert caller.get(f"/products/exists/{other}").json() == {"status": False}
            assert caller.put(f"/products/update/{other}", json=product_body()).status_code == 404
            assert caller.delete(f"/products/delete/{other}").status_code == 404
        found = monitor.get("/products/fetch", params={"name": body["name"]}).json()
        assert [product["id"] for product in found] == [synthetic_id]
