"""Existence checks in the clients and products services, and their failures."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import create_engine, text

from inventory.app import create_app
from servicekit.db.database import driver_url
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    Operations,
    environment,
    serve,
    wait_until,
)
from tests.support.inventory.fake_owners import (
    CLOSE_AFTER_RESPONSE,
    DROP,
    HOLD,
    INVALID_BODY,
    FakeOwner,
)
from tests.support.inventory.purchases import purchase_body

ADD = "/inventory/add_product"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(params=["clients", "products"])
def owner(request: pytest.FixtureRequest, clients: FakeOwner, products: FakeOwner) -> FakeOwner:
    """One of the two services; the other one works."""
    return clients if request.param == "clients" else products


@pytest.fixture
def purchase(clients: FakeOwner, products: FakeOwner) -> dict[str, object]:
    """A purchase with an existing client and product."""
    body: dict[str, object] = purchase_body(clients.create(), products.create())
    return body


def count_purchases(api: ContractClient, purchase: dict[str, object]) -> int:
    """Return the number of entries of the client of a purchase."""
    return len(api.get(f"/inventory/list_products_ids/{purchase['client_id']}").json())


@pytest.mark.parametrize("fault", [500, 503, 429, 401, 404, 400, 302, DROP, HOLD, INVALID_BODY])
def test_a_failing_service_causes_a_503_and_no_entry(
    api: ContractClient, owner: FakeOwner, purchase: dict[str, object], fault: int | str
) -> None:
    with owner.injecting(fault):
        answer = api.post(ADD, json=purchase)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert owner.kind in answer.json()["msg"]
    assert count_purchases(api, purchase) == 0
    assert api.post(ADD, json=purchase).status_code == 201
    assert count_purchases(api, purchase) == 1


@pytest.mark.parametrize(
    "fault", [500, 503, 429, 401, DROP, HOLD, INVALID_BODY, CLOSE_AFTER_RESPONSE]
)
def test_a_single_failure_is_retried(
    api: ContractClient, owner: FakeOwner, purchase: dict[str, object], fault: int | str
) -> None:
    with owner.injecting(fault, times=1):
        assert api.post(ADD, json=purchase).status_code == 201
    assert api.post(ADD, json=purchase).status_code == 201
    assert count_purchases(api, purchase) == 2


def test_an_unreachable_service_causes_a_503(
    settings: dict[str, str], purchase: dict[str, object], api: ContractClient
) -> None:
    for name in ("CLIENTS_URL", "PRODUCTS_URL"):
        with environment(**{**settings, name: "http://127.0.0.1:9/base"}):
            app = create_app()
        with serve(app) as url:
            alone = ContractClient(url, CONTRACTS / "inventory.yaml", "unit")
            alone.headers["Authorization"] = api.headers["Authorization"]
            with alone:
                assert alone.post(ADD, json=purchase).status_code == 503
                assert alone.get("/inventory/list_products_ids/1").status_code == 200
                assert alone.get("/-/ready").status_code == 200
    assert count_purchases(api, purchase) == 0


def test_calls_carry_the_token_of_the_caller(
    api: ContractClient, purchase: dict[str, object], clients: FakeOwner, products: FakeOwner
) -> None:
    api.post(ADD, json=purchase)
    for owner in (clients, products):
        assert owner.requests[-1]["Authorization"] == api.headers["Authorization"]


def test_calls_carry_the_request_id_and_the_trace_context(
    api: ContractClient, purchase: dict[str, object], clients: FakeOwner, products: FakeOwner
) -> None:
    tracing = {"X-Request-ID": str(uuid4()), "traceparent": TRACE, "tracestate": "a=b"}
    api.post(ADD, json=purchase, headers=tracing)
    for owner in (clients, products):
        assert tracing.items() <= owner.requests[-1].items()
    given = api.post(ADD, json=purchase).headers["X-Request-ID"]
    for owner in (clients, products):
        assert owner.requests[-1]["X-Request-ID"] == given
        assert "traceparent" not in owner.requests[-1]


def test_both_services_are_called_concurrently(
    api: ContractClient, purchase: dict[str, object], clients: FakeOwner, products: FakeOwner
) -> None:
    with (
        clients.injecting(HOLD),
        products.injecting(HOLD),
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(api.post, ADD, json=purchase)
        wait_until(lambda: clients.held == products.held == 1, "both calls")
        clients.recover()
        products.recover()
        assert answer.result().status_code == 201  # by the second attempt


def test_no_transaction_is_open_during_the_calls(
    api: ContractClient, owner: FakeOwner, purchase: dict[str, object], database_url: str
) -> None:
    state = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    with (
        owner.injecting(HOLD),
        ThreadPoolExecutor(1) as pool,
        create_engine(driver_url(database_url)).connect() as connection,
    ):
        headers = {"Idempotency-Key": str(uuid4())}
        answer = pool.submit(api.post, ADD, json=purchase, headers=headers)
        wait_until(lambda: owner.held > 0, "the call")
        assert connection.scalar(state) == 0
        owner.recover()
        answer.result()


def test_the_circuit_breaker_limits_calls_to_a_hanging_service(
    api: ContractClient, owner: FakeOwner, purchase: dict[str, object]
) -> None:
    with owner.injecting(HOLD), ThreadPoolExecutor(12) as pool:
        assert api.post(ADD, json=purchase).status_code == 503  # opens the circuit breaker
        wait_until(lambda: owner.held > 0, "the calls to hang")
        before = len(owner.requests)
        statuses = [
            a.status_code for a in pool.map(lambda _: api.post(ADD, json=purchase), range(12))
        ]
        assert statuses == [503] * 12
        assert len(owner.requests) - before < 12  # most were rejected without a call
    assert api.post(ADD, json=purchase).status_code == 201


def test_the_403_names_the_missing_scope(
    api: ContractClient, issuer: FakeIssuer, purchase: dict[str, object]
) -> None:
    for scope, missing in (("products:read", "clients:read"), ("clients:exists", "products:read")):
        token = issuer.token(scope=f"inventory:write {scope}")
        with api.as_caller(token) as caller:
            answer = caller.post(ADD, json=purchase)
        assert answer.status_code == 403
        assert missing in answer.json()["msg"]
    token = issuer.token(scope="inventory:write clients:exists products:exists")
    with api.as_caller(token) as caller:
        assert caller.post(ADD, json=purchase).status_code == 201


def test_a_retry_with_the_same_key_returns_the_first_response(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, purchase: dict[str, object]
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = api.post(ADD, json=purchase, headers=key)
    assert first.status_code == 201
    products.delete(int(str(purchase["product_id"])))
    with clients.injecting(DROP):
        again = api.post(ADD, json=purchase, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = {**purchase, "number_of_items": 6}
    assert api.post(ADD, json=other, headers=key).status_code == 422
    assert count_purchases(api, purchase) == 1


def test_a_failed_request_does_not_use_up_its_key(
    api: ContractClient, owner: FakeOwner, purchase: dict[str, object]
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    with owner.injecting(500):
        assert api.post(ADD, json=purchase, headers=key).status_code == 503
    assert api.post(ADD, json=purchase, headers=key).status_code == 201


def test_the_fake_services_match_the_contracts(
    clients: FakeOwner, products: FakeOwner, issuer: FakeIssuer, api: ContractClient
) -> None:
    assert jwt.get_unverified_header(issuer.token())["typ"] == "at+jwt"
    for owner in (clients, products):
        check = Operations(CONTRACTS / f"{owner.kind}.yaml")
        for identifier in (owner.create(), 2**62):
            path = f"/{owner.kind}/exists/{identifier}"
            answer = api.build_request("GET", f"{owner.url}{path}")
            operation = check.find("GET", path)
            assert operation is not None
            operation.check(api.send(answer))
