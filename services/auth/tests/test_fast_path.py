"""The fast path of auth skips no validation."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine

from auth import throttle
from auth.domain import name_key
from auth.keys import SigningKeys
from auth.tokens import USER_SCOPES, TokenSigner
from servicekit.db.database import driver_url
from servicekit.testing import (
    KEY,
    Authorize,
    CaseFixtures,
    InvalidRequest,
    InvalidRequestCases,
    Send,
    Sign,
    check_fast_path,
)
from servicekit.testing.request import Request
from tests.support.auth.users import (
    PASSWORD,
    basic_auth_header,
    bearer,
    create_user,
    new_username,
    run_auth,
)

CREATE = {"users.create": "/users/create", "users.create.alias": "/user/create"}
LOGIN = {"users.login": "/users/login", "users.login.alias": "/user/login"}
FORM = {"grant_type": "client_credentials", "scope": "inventory:remove"}
SERVICE = ("clients", "secret-of-clients")
GUESSES = 20  # enough for the maximum delay, which outlasts the test
# A 429 depends on other requests, not on an invalid one: see test_guessing.py.
FULL_QUEUE = {(operation, 429) for operation in CREATE}


@dataclass(frozen=True)
class World:
    """Existing users for the invalid requests."""

    users: Mapping[str, str]  # user names, by login operation
    guessed: str  # the name of a user with login failures


class Auth(InvalidRequestCases):
    """Requests that auth must reject; separate users by operation avoid the login delay."""

    service = "auth"

    def __init__(self, world: World) -> None:
        """Derive requests from the contract for the users of ``world``."""
        self._world = world
        users = {operation: as_user(name) for operation, name in world.users.items()}
        super().__init__(
            CaseFixtures(
                bodies={"users.create": a_user(), "users.token": FORM},
                tables={"users.create": "users"},
                credentials={**users, "users.token": as_user(*SERVICE)},
            )
        )

    def new_write(self, request: Request) -> Request:
        """Return the request for another user: a taken name is rejected before it is written."""
        return request.with_body(username=new_username())

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield requests with invalid names and wrong credentials."""
        for create in map(self.valid, CREATE):
            for name in (self._world.guessed, self._world.guessed.upper()):
                yield create.with_body(username=name).expect(409, f"{name} is another's")
            for name in (
                "a:b",
                "\N{IDEOGRAPHIC SPACE}",
                "\N{ARABIC LIGATURE JALLAJALALOUHOU}" * 100,
            ):
                yield create.with_body(username=name).expect(400, f"{name} is no name")
        for operation, name in self._world.users.items():
            login, unknown = self.valid(operation), f"Nobody at {operation}"
            yield login.as_user(as_user(name, "Errado123")).expect(401, "a wrong password")
            yield login.as_user(as_user(unknown)).expect(401, "a wrong name")
            yield login.as_user(as_user(self._world.guessed)).expect(429, "a guess too many")
        token = self.valid("users.token")
        for name, secret in (("clients", "secret-of-products"), ("nobody", SERVICE[1]), ("", "")):
            yield token.as_user(as_user(name, secret)).expect(401, f"the secret of {name!r}")
        for scope in ("clients:write", "inventory:remove clients:write"):
            yield token.with_body(scope=scope).expect(400, f"the scope {scope}")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Send a valid request to each operation, including deprecated paths."""
        for path in CREATE.values():
            yield send("POST", path, json=a_user())
        for operation, path in LOGIN.items():
            name = self._world.users[operation]
            yield send("POST", path, headers=basic_auth_header(name, PASSWORD))
        yield send("POST", "/users/token", data=FORM, headers=basic_auth_header(*SERVICE))


def a_user() -> dict[str, str]:
    """Return the body of a new user."""
    return {"username": new_username(), "password": PASSWORD}


def as_user(name: str, password: str = PASSWORD) -> Authorize:
    """Return a function that makes the header of basic credentials."""
    return lambda _: basic_auth_header(name, password)["Authorization"]


@pytest.fixture
def own_settings(
    settings: dict[str, str], migrated_url_factory: Callable[[str], str]
) -> dict[str, str]:
    """The environment of a service with a separate database."""
    # a fourth of the threads may register the users of concurrent requests
    return {**settings, "DATABASE_URL": migrated_url_factory("auth"), "THREADS": "40"}


@pytest.fixture
def sign(folder: Path) -> Sign:
    """A function that signs tokens with any lifetime and the key of auth."""
    tokens = TokenSigner(SigningKeys(folder / "keys"), issuer="cadastro", audience="cadastro")

    def sign(*, scope: str, exp: int) -> str:
        ttl = exp - int(time.time())
        return tokens.sign("user:1", "cadastro", "live", scope.split(), ttl)

    return sign


@pytest.fixture
def invalid_requests(own_settings: dict[str, str], sign: Sign) -> Auth:
    """Invalid requests; their users are created by another process than the tested one."""
    user = bearer(sign(scope=" ".join(USER_SCOPES), exp=int(time.time()) + 60))
    with contextmanager(run_auth)(own_settings) as api:
        create_user(api, headers={**user, "Idempotency-Key": KEY})
        world = World({operation: create_user(api) for operation in LOGIN}, create_user(api))
    attempt = throttle.LoginAttempt(name_key(world.guessed), "198.51.100.66")
    with create_engine(driver_url(own_settings["DATABASE_URL"])).begin() as connection:
        for _ in range(GUESSES):
            throttle.record_failure(connection, attempt)
    return Auth(world)


def test_each_declared_error_has_an_invalid_request() -> None:
    cases = Auth(World({operation: new_username() for operation in LOGIN}, new_username()))
    assert cases.declared() - cases.covered() == FULL_QUEUE
    assert cases.covered() <= cases.declared()


def test_warm_caches_reject_the_same_requests_as_cold_ones(
    own_settings: dict[str, str], sign: Sign, invalid_requests: Auth
) -> None:
    assert check_fast_path(invalid_requests, own_settings, sign) == []
