"""Login throttling, and the limit on concurrent logins."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, text

from auth.domain import name_key
from auth.passwords import RESERVED_THREADS
from auth.throttle import LIMITS
from servicekit.db.database import driver_url
from servicekit.testing import ContractClient
from tests.support.auth.users import (
    PASSWORD,
    PREFIXES,
    basic_auth,
    basic_auth_header,
    create_user,
    new_username,
    request_login,
    run_auth,
)

FREE = LIMITS["account"].free


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database of the service."""
    engine = create_engine(driver_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def guessed(api: ContractClient) -> str:
    """A user with the maximum number of failures without a delay."""
    name: str = create_user(api)
    for _ in range(FREE):
        assert request_login(api, name, "Errado123").status_code == 401
    return name


def let_time_pass(engine: Engine, seconds: int) -> None:
    """Make all failures older."""
    statement = "UPDATE login_failures SET until = until - make_interval(secs => :s)"
    with engine.begin() as connection:
        connection.execute(text(statement), {"s": seconds})


def test_after_the_free_failures_a_correct_password_is_delayed(
    api: ContractClient, engine: Engine, guessed: str
) -> None:
    for prefix in PREFIXES:
        answer = api.post(f"{prefix}/login", auth=basic_auth(guessed, PASSWORD))
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
    assert request_login(api, create_user(api)).status_code == 200
    let_time_pass(engine, 5)
    assert request_login(api, guessed).status_code == 200


def test_the_delay_grows_with_each_failure_and_expires(
    api: ContractClient, engine: Engine, guessed: str
) -> None:
    waits = []
    for _ in range(5):
        waits.append(int(request_login(api, guessed).headers["Retry-After"]))
        let_time_pass(engine, 1000)
        assert request_login(api, guessed, "Errado123").status_code == 401
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]
    assert max(waits) <= LIMITS["account"].max_delay


@pytest.mark.parametrize("seconds", [3600, 7200, 86_400 * 365])
def test_a_delay_from_before_the_clock_stepped_back_is_over(
    api: ContractClient, engine: Engine, guessed: str, seconds: int
) -> None:
    assert request_login(api, guessed).status_code == 429
    let_time_pass(engine, -seconds)
    assert request_login(api, guessed, "Errado123").status_code == 401
    delayed = request_login(api, guessed)
    assert delayed.status_code == 429
    assert 1 <= int(delayed.headers["Retry-After"]) <= LIMITS["account"].max_delay


def test_a_successful_login_resets_the_failures_of_the_account(
    api: ContractClient, engine: Engine, guessed: str
) -> None:
    let_time_pass(engine, 1000)
    assert request_login(api, guessed).status_code == 200
    assert request_login(api, guessed, "Errado123").status_code == 401
    assert request_login(api, guessed).status_code == 200


def test_failures_of_one_address_at_many_accounts_are_delayed(
    api: ContractClient, engine: Engine
) -> None:
    headers = {"X-Forwarded-For": "198.51.100.66, 203.0.113.9"}
    request_login(api, new_username(), headers=headers)
    with engine.begin() as connection:
        most = text("UPDATE login_failures SET failures = :n WHERE failures = 1")
        connection.execute(most, {"n": LIMITS["address"].free})
    assert request_login(api, new_username(), headers=headers).status_code == 401
    name = create_user(api)
    assert request_login(api, name, headers=headers).status_code == 429
    other = {"X-Forwarded-For": "203.0.113.9, 198.51.100.66"}
    assert request_login(api, name, headers=other).status_code == 200


def test_failure_counts_contain_no_name_or_address(
    api: ContractClient, engine: Engine, guessed: str
) -> None:
    assert request_login(api, guessed).status_code == 429
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT * FROM login_failures")).all()
    assert rows
    assert name_key(guessed) not in str(rows)


def test_an_outdated_hash_is_replaced_at_login(api: ContractClient, engine: Engine) -> None:
    name = create_user(api)
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    change = text("UPDATE users SET password = :hash WHERE name = :name")
    with engine.begin() as connection:
        connection.execute(change, {"hash": older, "name": name})
    assert request_login(api, name).status_code == 200
    with engine.begin() as connection:
        query = text("SELECT password FROM users WHERE name = :name")
        newer = connection.scalar(query, {"name": name})
    assert newer is not None
    assert "m=19456,t=2,p=1" in newer
    assert request_login(api, name).status_code == 200


@pytest.fixture
def narrow_api(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A client of a service with a queue of one login."""
    yield from run_auth(settings, THREADS=str(RESERVED_THREADS + 1), HASHES_AT_ONCE="1")


def test_a_burst_of_logins_is_rejected_and_other_requests_are_served(
    narrow_api: ContractClient,
) -> None:
    name = create_user(narrow_api)
    barrier = threading.Barrier(24)

    def storm(number: int) -> httpx.Response:
        barrier.wait()
        prefix = PREFIXES[number // 4 % 2]
        if number % 4 == 0:
            return narrow_api.get("/users/jwks.json")
        if number % 4 == 1:
            body = {"username": new_username(), "password": PASSWORD}
            return narrow_api.post(f"{prefix}/create", json=body)
        return narrow_api.post(f"{prefix}/login", auth=basic_auth(name, PASSWORD))

    seen: set[tuple[int, int]] = set()
    with ThreadPoolExecutor(24) as pool:
        for _ in range(5):
            answers = list(pool.map(storm, range(24)))
            assert {answer.status_code for answer in answers[::4]} == {200}
            seen |= {(number % 4, answer.status_code) for number, answer in enumerate(answers)}
    assert {(1, 429), (2, 429)} <= seen
    assert {status for _, status in seen} <= {200, 201, 429}
    assert request_login(narrow_api, name).status_code == 200


@pytest.mark.parametrize("end", ["\0", "a" * 101, "\x7f"], ids=["NUL", "long", "DEL"])
def test_names_that_no_user_can_have_are_throttled_each_by_itself(
    api: ContractClient, end: str
) -> None:
    address = {"X-Forwarded-For": "198.51.100.78"}
    one, other = new_username() + end, new_username() + end

    def status(name: str) -> int:
        headers = {**basic_auth_header(name, PASSWORD), **address}
        return api.post("/users/login", headers=headers).status_code

    assert [status(one) for _ in range(FREE + 1)] == [401] * FREE + [429]
    assert status(other) == 401
