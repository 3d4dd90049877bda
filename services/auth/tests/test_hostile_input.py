"""Input of hostile callers without a login: refused quickly, and never a 500."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from auth import keys
from auth.context import throttled_address
from auth.keys import SigningKeys
from auth.throttle import LIMITS
from servicekit.testing import ContractClient
from tests.support.auth.users import basic_auth_header, create_user, new_username, request_login

MARKS = "e" + "\u0301" * 20_000 + "\u0316" * 20_000  # normalized in quadratic time
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("credentials", [(MARKS, "x"), ("x", MARKS)])
def test_long_credentials_are_rejected_before_they_are_normalized(
    api: ContractClient, credentials: tuple[str, str]
) -> None:
    headers = basic_auth_header(*credentials)
    assert api.post("/users/login", headers=headers, timeout=5).status_code == 401


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\x7f", "a\x1fb"])
def test_control_characters_in_credentials_are_a_failed_login(
    api: ContractClient, name: str
) -> None:
    assert api.post("/users/login", headers=basic_auth_header(name, "Testando")).status_code == 401
    known = create_user(api)
    assert api.post("/users/login", headers=basic_auth_header(known, f"{name}1")).status_code == 401
    assert request_login(api, known).status_code == 200


def test_failed_logins_with_control_characters_are_throttled_by_address(
    api: ContractClient, engine: Engine
) -> None:
    address = {"X-Forwarded-For": "198.51.100.77"}
    assert api.post("/users/login", headers={**basic_auth_header("a\0", "b"), **address}).is_error
    with engine.begin() as connection:
        query = text("UPDATE login_failures SET failures = :n WHERE failures = 1")
        connection.execute(query, {"n": LIMITS["address"].free})
    statuses = [request_login(api, new_username(), headers=address).status_code for _ in range(2)]
    assert statuses == [401, 429]


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:51234", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:ffff::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("unknown", ""),
        ("192.0.2.1.example", ""),
        ("", ""),
    ],
)
def test_failures_count_for_an_ipv4_address_or_an_ipv6_network(text: str, group: str) -> None:
    assert throttled_address(text) == group


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1E-9999999999999999999", "1e400"])
def test_a_number_beyond_doubles_is_a_bad_request(api: ContractClient, number: str) -> None:
    body = f'{{"username": {number}, "password": "Testando"}}'
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.status_code == 400
    assert "out of range" in answer.json()["msg"]


def test_a_duplicate_among_many_members_is_found(api: ContractClient) -> None:
    members = [f'"{number}":1' for number in range(126)]
    body = "{" + ",".join([*members, '"125":2']) + "}"
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.json()["errors"] == [{"field": "125", "reason": "is given twice"}]


@pytest.mark.parametrize("last", ["5999", "6000"])
def test_thousands_of_members_are_rejected_before_they_are_compared(
    api: ContractClient, last: str
) -> None:
    members = [f'"{number}":1' for number in range(6_000)]
    body = "{" + ",".join([*members, f'"{last}":2']) + "}"
    answer = api.post("/users/create", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["msg"] == "The body holds too many values"


def test_an_answer_has_at_most_a_hundred_errors(api: ContractClient) -> None:
    body = {str(number): 1 for number in range(125)}
    answer = api.post("/users/create", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 100


def test_a_long_content_type_is_not_parsed(api: ContractClient) -> None:
    headers = {"Content-Type": "a=b;" * 10_000}
    answer = api.post("/users/create", content=b"{}", headers=headers, timeout=5)
    assert answer.status_code == 415


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "GZIP"])
def test_a_body_with_a_content_coding_is_not_supported(api: ContractClient, coding: str) -> None:
    body = {"username": new_username(), "password": "Testando"}
    answer = api.post("/users/create", json=body, headers={"Content-Encoding": coding})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_without_a_content_coding_is_read(api: ContractClient, coding: str) -> None:
    body = {"username": new_username(), "password": "Testando"}
    answer = api.post("/users/create", json=body, headers={"Content-Encoding": coding})
    assert answer.status_code == 201


def test_loaded_keys_stay_while_the_folder_cannot_be_read(tmp_path: Path) -> None:
    clock = iter(range(0, 1000, 10)).__next__
    folder = tmp_path / "keys"
    kid = keys.new(folder)
    loaded = SigningKeys(folder, clock=clock)
    dangling = folder / "new.pem"
    dangling.symlink_to(folder / "missing")
    assert loaded.signing()[0] == kid
    dangling.unlink()
    (folder / "current").write_bytes(b"\xff\xfe")
    assert loaded.signing()[0] == kid
    folder.rename(tmp_path / "moved")
    assert [key["kid"] for key in loaded.key_set()["keys"]] == [kid]
