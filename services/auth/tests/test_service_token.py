"""The token of a service: cached, renewed before it expires, and its failures."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from servicekit.auth.service_token import ServiceToken
from servicekit.problems import Unavailable
from servicekit.testing import ContractClient

TTL_SECONDS = 300.0  # default of auth


class Clock:
    """A clock set by the test."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the token."""
    return Clock()


@pytest.fixture
def secret(folder: Path, tmp_path: Path) -> Path:
    """The secret file of the service."""
    path = tmp_path / "secret"
    path.write_text((folder / "oauth" / "inventory").read_text())
    return path


@pytest.fixture
def token(api: ContractClient, secret: Path, clock: Clock) -> Iterator[ServiceToken]:
    """The token of the inventory."""
    url = str(api.base_url.join("/users/token"))
    token = ServiceToken(url, "inventory", secret, clock=clock)
    yield token
    token.close()


def test_a_service_token_names_its_service(token: ServiceToken) -> None:
    claims = jwt.decode(token.get(), options={"verify_signature": False})
    assert claims["sub"] == "service:inventory"
    assert set(claims["scope"].split()) == {"clients:exists", "products:exists"}


def test_the_secret_file_may_begin_with_a_byte_order_mark(
    token: ServiceToken, secret: Path
) -> None:
    secret.write_text(f"{secret.read_text()}\r\n", encoding="utf-8-sig")
    assert token.get()


def test_a_token_is_cached_and_renewed_before_it_expires(token: ServiceToken, clock: Clock) -> None:
    first = token.get()
    clock.now = TTL_SECONDS / 2
    assert token.get() == first
    clock.now = TTL_SECONDS * 0.9
    assert token.get() != first


def test_an_invalidated_token_is_replaced(token: ServiceToken) -> None:
    first = token.get()
    token.invalidate()
    assert token.get() != first


def test_a_token_is_used_until_it_expires_while_auth_is_unavailable(
    token: ServiceToken, clock: Clock, secret: Path
) -> None:
    right = secret.read_text()
    first = token.get()
    secret.write_text("not the secret")
    clock.now = TTL_SECONDS * 0.9
    assert token.get() == first
    clock.now = TTL_SECONDS
    with pytest.raises(Unavailable, match="auth"):
        token.get()
    secret.write_text(right)  # read for each request
    assert token.get() != first


def test_a_missing_secret_is_reported(token: ServiceToken, secret: Path) -> None:
    secret.unlink()
    with pytest.raises(Unavailable):
        token.get()
