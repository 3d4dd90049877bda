"""The collection of products: pagination, links and filters."""

import re
from urllib.parse import urljoin

from servicekit.testing import ContractClient
from tests.support.products.request_bodies import product_body


def test_following_the_links_returns_every_product_once(api: ContractClient) -> None:
    ids = [api.post("/products/create", json=product_body()).json()["id"] for _ in range(5)]
    seen: list[int] = []
    path: str | None = f"/products/fetch?limit=2&status=true&after={ids[0] - 1}"
    while path:
        answer = api.get(path)
        assert len(answer.json()) <= 2
        seen += [product["id"] for product in answer.json()]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        path = urljoin(path, link[1]) if link else None
    assert seen == sorted(seen)
    assert set(ids) <= set(seen)


def test_products_are_filtered_by_name(api: ContractClient) -> None:
    body = product_body(status=False)
    product_id = api.post("/products/create", json=body).json()["id"]
    name = {"name": body["name"]}
    for query, found in (
        (name, [product_id]),
        ({**name, "status": "false"}, [product_id]),
        ({**name, "status": "true"}, []),
        ({"name": body["name"].upper()}, [product_id]),
        ({"name": f"{body['name']}x"}, []),
    ):
        answer = api.get("/products/fetch", params=query)
        assert [product["id"] for product in answer.json()] == found


def test_products_are_filtered_by_status(api: ContractClient) -> None:
    for status in (True, False):
        api.post("/products/create", json=product_body(status=status))
        shown = api.get("/products/fetch", params={"status": str(status).lower()}).json()
        assert {product["status"] for product in shown} == {status}


def test_an_invalid_query_is_rejected(api: ContractClient) -> None:
    for query, field in (
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("after=-1", "after"),
        ("status=maybe", "status"),
        ("status=1", "status"),
        ("name=", "name"),
        ("email=a", "email"),
    ):
        answer = api.get(f"/products/fetch?{query}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field
