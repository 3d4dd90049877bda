"""Settings: every missing or invalid variable is reported."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from servicekit.environment import Environment, SettingsError
from servicekit.settings import EX_CONFIG, PeerSettings
from servicekit.testing import CONTRACTS, environment

REQUIRED = {
    "DATABASE_URL",
    "CONTRACTS_DIR",
    "JWKS_URL",
    "TOKEN_URL",
    "SERVICE_CLIENT_ID",
    "SERVICE_CLIENT_SECRET_FILE",
}


def test_lists_every_missing_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as caught:
        PeerSettings.from_environment()
    assert caught.value.problems.keys() == REQUIRED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/clients"),
        ("DATABASE_URL", "postgresql://root:hunter2@[::1/clients"),
        ("DATABASE_URL", "postgresql://root:hunter2@db/clients?hosst=db"),
        ("DATABASE_URL", "postgresql://root:hunter2%zz@db/clients"),
        ("READ_DATABASE_URL", "mysql://root:hunter2@db/clients"),
        ("READ_DATABASE_URL", "postgresql://root:hunter2%zz@db/clients"),
        ("CONTRACTS_DIR", "/nowhere"),
        ("VALIDATION", "lax"),
        ("LOG_LEVEL", "LOUD"),
        ("THREADS", "0"),
        ("THREADS", "many"),
        ("BODY_LIMIT", "12"),
        ("JWT_LEEWAY", "600"),
        ("METRICS_BIND", "9000"),
        ("INSTANCE", "shop/cadastro\r\nSet-Cookie: a=b"),
        ("INSTANCE", "a" * 201),
        ("JWKS_URL", "auth:8000"),
        ("SERVICE_CLIENT_SECRET_FILE", "/nowhere"),
    ],
)
def test_names_an_invalid_setting_without_a_password(name: str, value: str) -> None:
    with environment(**{name: value}), pytest.raises(SettingsError) as caught:
        PeerSettings.from_environment()
    assert name in caught.value.problems
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "on"), [("true", True), ("YES", True), ("0", False), ("off", False)]
)
def test_accepts_several_spellings_of_booleans(text: str, *, on: bool) -> None:
    env = Environment({"FLAG": text})
    assert env.boolean("FLAG", default=not on) is on
    env.raise_problems()


@pytest.mark.parametrize(
    "read",
    [
        lambda env: env.boolean("SETTING", default=True),
        lambda env: env.integer("SETTING", 1, 1, 5),
        lambda env: env.number("SETTING", 1, 1, 5),
        lambda env: env.file("SETTING"),
        lambda env: env.folder("SETTING"),
        lambda env: env.url("SETTING"),
        lambda env: env.url("SETTING", ""),
        lambda env: env.choice("SETTING", "one", "other"),
    ],
)
@pytest.mark.parametrize("value", ["perhaps", "nan", "6.5", "-1"])
def test_rejects_an_invalid_value_and_names_the_setting(
    read: Callable[[Environment], object], value: str
) -> None:
    env = Environment({"SETTING": value})
    read(env)
    with pytest.raises(SettingsError) as caught:
        env.raise_problems()
    assert caught.value.problems.keys() == {"SETTING"}


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_white_space_around_a_setting_is_ignored(start: str) -> None:
    given = {"URL": "https://auth\n", "LEVEL": " INFO\n", "COUNT": "4\n"}
    env = Environment({name: start + value for name, value in given.items()})
    assert env.url("URL") == "https://auth"
    assert env.choice("LEVEL", "DEBUG", "INFO") == "INFO"
    assert env.integer("COUNT", 1, 1, 9) == 4
    env.raise_problems()


def test_only_an_optional_url_may_be_empty() -> None:
    env = Environment({"EMPTY": "", "SLASH": "https://auth/"})
    assert env.url("EMPTY", "") == ""
    assert env.url("SLASH") == "https://auth"
    env.raise_problems()
    env.url("EMPTY")
    with pytest.raises(SettingsError, match="EMPTY"):
        env.raise_problems()


def test_service_without_settings_exits_with_its_own_code() -> None:
    program = "from clients.app import create_app; create_app()"
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == EX_CONFIG
    assert "DATABASE_URL" in run.stderr
    assert "Traceback" not in run.stderr


def test_repr_hides_the_database_password() -> None:
    with environment(
        DATABASE_URL="postgresql://clients:hunter2@db/clients",
        CONTRACTS_DIR=str(CONTRACTS),
        JWKS_URL="http://auth/users/jwks.json",
        TOKEN_URL="http://auth/users/token",
        SERVICE_CLIENT_ID="clients",
        SERVICE_CLIENT_SECRET_FILE=__file__,
    ):
        assert "hunter2" not in repr(PeerSettings.from_environment())
