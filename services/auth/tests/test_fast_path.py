"""No check of auth is skipped on the way that is fast."""

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
GUESSES = 20  # after so many one waits as long as one ever must, and longer than the trial lasts
# Who finds no place to have a password hashed in is turned away because of the others, and of
# nothing that is wrong with the request: test_guessing.py makes the storm that it takes.
OF_A_STORM = {(operation, 429) for operation in CREATE}


@dataclass(frozen=True)
class World:
    """Who is there before, for the bad requests to bounce off."""

    users: Mapping[str, str]  # their names, by the operation at which they log in
    guessed: str  # the name of somebody at whose password others have guessed


class Auth(InvalidRequestCases):
    """What auth must refuse; each operation has names of its own, lest one fail too often."""

    service = "auth"

    def __init__(self, world: World) -> None:
        """Have nobody but ``world`` in the database."""
        self._world = world
        users = {operation: as_user(name) for operation, name in world.users.items()}
        super().__init__(
            CaseFixtures(
                bodies={"users.create": a_user(), "users.token": FORM},
                tables={"users.create": "users"},
                credentials={**users, "users.token": as_user(*SERVICE)},
            )
        )

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield the names that nobody may take, and what does not open a door."""
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
            login, nobody = self.valid(operation), f"Nobody at {operation}"
            yield login.as_user(as_user(name, "Errado123")).expect(401, "a wrong password")
            yield login.as_user(as_user(nobody)).expect(401, "a wrong name")
            yield login.as_user(as_user(self._world.guessed)).expect(429, "a guess too many")
        token = self.valid("users.token")
        for name, secret in (("clients", "secret-of-products"), ("nobody", SERVICE[1]), ("", "")):
            yield token.as_user(as_user(name, secret)).expect(401, f"the secret of {name!r}")
        for scope in ("clients:write", "inventory:remove clients:write"):
            yield token.with_body(scope=scope).expect(400, f"the scope {scope}")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Make a valid request of each operation, on the older paths too."""
        for path in CREATE.values():
            yield send("POST", path, json=a_user())
        for operation, path in LOGIN.items():
            name = self._world.users[operation]
            yield send("POST", path, headers=basic_auth_header(name, PASSWORD))
        yield send("POST", "/users/token", data=FORM, headers=basic_auth_header(*SERVICE))


def a_user() -> dict[str, str]:
    """Return the body of a user whom nobody has registered yet."""
    return {"username": new_username(), "password": PASSWORD}


def as_user(name: str, password: str = PASSWORD) -> Authorize:
    """Return how a caller with a name and a password says who it is."""
    return lambda _: basic_auth_header(name, password)["Authorization"]


@pytest.fixture
def own_settings(
    settings: dict[str, str], migrated_url_factory: Callable[[str], str]
) -> dict[str, str]:
    """The environment of a service on a database of its own."""
    return {**settings, "DATABASE_URL": migrated_url_factory("auth")}


@pytest.fixture
def sign(folder: Path) -> Sign:
    """Who signs tokens of any life, with auth's own key."""
    tokens = TokenSigner(SigningKeys(folder / "keys"), issuer="cadastro", audience="cadastro")

    def sign(*, scope: str, exp: int) -> str:
        ttl = exp - int(time.time())
        return tokens.sign("user:1", "cadastro", "live", scope.split(), ttl)

    return sign


@pytest.fixture
def refusals(own_settings: dict[str, str], sign: Sign) -> Auth:
    """What it refuses; its users were made by another process than the one that is tried."""
    user = bearer(sign(scope=" ".join(USER_SCOPES), exp=int(time.time()) + 60))
    with contextmanager(run_auth)(own_settings) as api:
        create_user(api, headers={**user, "Idempotency-Key": KEY})
        world = World({operation: create_user(api) for operation in LOGIN}, create_user(api))
    attempt = throttle.LoginAttempt(name_key(world.guessed), "198.51.100.66")
    with create_engine(driver_url(own_settings["DATABASE_URL"])).begin() as connection:
        for _ in range(GUESSES):
            throttle.record_failure(connection, attempt)
    return Auth(world)


def test_each_refusal_that_is_declared_has_a_bad_request() -> None:
    nowhere = Auth(World({operation: new_username() for operation in LOGIN}, new_username()))
    assert nowhere.declared() - nowhere.covered() == OF_A_STORM
    assert nowhere.covered() <= nowhere.declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    own_settings: dict[str, str], sign: Sign, refusals: Auth
) -> None:
    assert check_fast_path(refusals, own_settings, sign) == []
