"""A service's own token, from auth itself: kept while it is good, renewed early, told when not."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from servicekit.auth.service_token import ServiceToken
from servicekit.problems import Unavailable
from servicekit.testing import ContractClient

LIFE = 300.0  # seconds, as auth has it by default


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock by which tokens age."""
    return Clock()


@pytest.fixture
def secret(folder: Path, tmp_path: Path) -> Path:
    """The service's own copy of its secret."""
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


def test_a_token_is_the_services_own(token: ServiceToken) -> None:
    claims = jwt.decode(token.get(), options={"verify_signature": False})
    assert claims["sub"] == "service:inventory"
    assert set(claims["scope"].split()) == {"clients:exists", "products:exists"}


def test_a_token_is_kept_and_renewed_before_it_expires(token: ServiceToken, clock: Clock) -> None:
    first = token.get()
    clock.now = LIFE / 2
    assert token.get() == first
    clock.now = LIFE * 0.9
    assert token.get() != first


def test_a_token_that_was_refused_is_replaced(token: ServiceToken) -> None:
    first = token.get()
    token.invalidate()
    assert token.get() != first


def test_a_token_serves_to_its_end_while_auth_gives_no_other(
    token: ServiceToken, clock: Clock, secret: Path
) -> None:
    right = secret.read_text()
    first = token.get()
    secret.write_text("not the secret")
    clock.now = LIFE * 0.9
    assert token.get() == first
    clock.now = LIFE
    with pytest.raises(Unavailable, match="auth"):
        token.get()
    secret.write_text(right)  # it is read again each time
    assert token.get() != first


def test_a_secret_that_is_not_there_is_told_as_no_token(token: ServiceToken, secret: Path) -> None:
    secret.unlink()
    with pytest.raises(Unavailable):
        token.get()
