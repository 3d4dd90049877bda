"""Auth without its database."""

from collections.abc import Iterator

import pytest

from servicekit.testing import ContractClient
from tests.support.auth.users import PASSWORD, PREFIXES, basic_auth, new_username, run_auth


@pytest.fixture(scope="module")
def cut_off(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A service with an unavailable database."""
    url = "postgresql://postgres@127.0.0.1:9/nothing"
    yield from run_auth({**settings, "DATABASE_URL": url}, ready=False)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_operations_with_queries_return_503_with_retry_after(
    cut_off: ContractClient, prefix: str
) -> None:
    body = {"username": new_username(), "password": PASSWORD}
    for answer in (
        cut_off.post(f"{prefix}/create", json=body),
        cut_off.post(f"{prefix}/login", auth=basic_auth("Arthur", PASSWORD)),
        cut_off.get(f"{prefix}/health"),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1


def test_service_tokens_and_the_key_set_need_no_database(cut_off: ContractClient) -> None:
    assert cut_off.get("/users/jwks.json").status_code == 200
    auth = basic_auth("clients", "secret-of-clients")
    form = {"grant_type": "client_credentials"}
    assert cut_off.post("/users/token", data=form, auth=auth).status_code == 200
