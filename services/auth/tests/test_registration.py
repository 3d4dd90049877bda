"""Registrations are limited by address, and leave room for logins."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from auth.passwords import PasswordHashing
from servicekit.db.database import driver_url
from servicekit.testing import ContractClient
from tests.support.auth.users import (
    PASSWORD,
    PREFIXES,
    bearer,
    create_user,
    log_in,
    new_username,
    request_login,
    run_auth,
)

LIMIT = 3


@pytest.fixture
def limited_api(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A client of a service with a low limit of registrations."""
    yield from run_auth({**settings, "REGISTRATION_LIMIT": str(LIMIT)})


def register(api: ContractClient, address: str, name: str | None = None, prefix: str = "") -> int:
    """Create a user from an address and return the status."""
    body = {"username": name or new_username(), "password": PASSWORD}
    headers = {"X-Forwarded-For": address}
    return api.post(f"{prefix or PREFIXES[0]}/create", json=body, headers=headers).status_code


@pytest.mark.parametrize("addresses", [["198.51.100.7"], ["2001:db8:7::1", "2001:db8:7::2"]])
def test_registrations_of_an_address_beyond_the_limit_are_delayed(
    limited_api: ContractClient, addresses: list[str]
) -> None:
    for number in range(LIMIT):
        prefix = PREFIXES[number % len(PREFIXES)]
        assert register(limited_api, addresses[number % len(addresses)], prefix=prefix) == 201
    body = {"username": new_username(), "password": PASSWORD}
    headers = {"X-Forwarded-For": addresses[-1]}
    answer = limited_api.post("/users/create", json=body, headers=headers)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert register(limited_api, "203.0.113.80") == 201


def test_taken_names_count_as_registrations(limited_api: ContractClient) -> None:
    name = create_user(limited_api)
    seen = [register(limited_api, "198.51.100.8", name) for _ in range(LIMIT + 1)]
    assert seen == [409] * LIMIT + [429]


def test_a_user_with_a_token_may_create_any_number_of_users(limited_api: ContractClient) -> None:
    headers = {**bearer(log_in(limited_api)), "X-Forwarded-For": "198.51.100.9"}
    for _ in range(LIMIT + 3):
        create_user(limited_api, headers=headers)


def test_a_delay_ends_when_the_clock_of_the_database_is_set_back(
    limited_api: ContractClient, database_url: str
) -> None:
    for _ in range(LIMIT):
        register(limited_api, "198.51.100.10")
    assert register(limited_api, "198.51.100.10") == 429
    with create_engine(driver_url(database_url)).begin() as connection:
        step = "UPDATE login_failures SET until = until + interval '1 h' WHERE until > now()"
        connection.execute(text(step))
    assert register(limited_api, "198.51.100.10") == 201


def test_a_taken_name_is_rejected_without_a_hash(
    api: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = create_user(api)
    hashed: list[str] = []
    original = PasswordHashing.hash

    def record(passwords: PasswordHashing, password: str) -> str:
        hashed.append(password)
        return original(passwords, password)

    monkeypatch.setattr(PasswordHashing, "hash", record)
    for spelt in (name, name.upper(), name.lower(), f" {name}"):
        assert register(api, "198.51.100.11", spelt) == 409
    assert hashed == []
    assert register(api, "198.51.100.11") == 201
    assert len(hashed) == 1


def test_good_logins_pass_while_another_address_registers_users(api: ContractClient) -> None:
    name, done = create_user(api), threading.Event()
    taken = create_user(api)
    seen: set[int] = set()

    def attack(number: int) -> None:
        while not done.is_set():
            seen.add(register(api, "198.51.100.12", taken if number % 2 else None))

    with ThreadPoolExecutor(30) as pool:
        attackers = [pool.submit(attack, number) for number in range(30)]
        logins = [request_login(api, name).status_code for _ in range(20)]
        done.set()
    assert all(each.exception() is None for each in attackers)
    assert logins == [200] * 20
    assert seen == {201, 409, 429}
