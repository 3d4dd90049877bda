"""When the database is away, auth says so; what needs no database goes on."""

from collections.abc import Iterator

import pytest

from servicekit.testing import ContractClient
from tests.support.auth.users import PASSWORD, PREFIXES, basic_auth, new_username, run_auth


@pytest.fixture(scope="module")
def cut_off(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A service whose database is not there."""
    url = "postgresql://postgres@127.0.0.1:9/nothing"
    yield from run_auth({**settings, "DATABASE_URL": url}, ready=False)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_needs_the_database_says_to_come_back(cut_off: ContractClient, prefix: str) -> None:
    body = {"username": new_username(), "password": PASSWORD}
    for answer in (
        cut_off.post(f"{prefix}/create", json=body),
        cut_off.post(f"{prefix}/login", auth=basic_auth("Arthur", PASSWORD)),
        cut_off.get(f"{prefix}/health"),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1


def test_services_get_tokens_and_keys_all_the_same(cut_off: ContractClient) -> None:
    assert cut_off.get("/users/jwks.json").status_code == 200
    auth = basic_auth("clients", "secret-of-clients")
    form = {"grant_type": "client_credentials"}
    assert cut_off.post("/users/token", data=form, auth=auth).status_code == 200
