"""A start with bad settings fails, and lists every one of them."""

import os
import subprocess
import sys

import pytest

from servicekit.settings import EX_CONFIG, PeerSettings, SettingsError
from servicekit.testing import CONTRACTS, environment

REQUIRED = {
    "DATABASE_URL",
    "CONTRACTS_DIR",
    "JWKS_URL",
    "TOKEN_URL",
    "SERVICE_CLIENT_ID",
    "SERVICE_CLIENT_SECRET_FILE",
}


def test_every_missing_setting_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as caught:
        PeerSettings.from_environment()
    assert caught.value.problems.keys() == REQUIRED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/clients"),
        ("CONTRACTS_DIR", "/nowhere"),
        ("VALIDATION", "lax"),
        ("LOG_LEVEL", "LOUD"),
        ("THREADS", "0"),
        ("THREADS", "many"),
        ("BODY_LIMIT", "12"),
        ("METRICS_BIND", "9000"),
        ("JWKS_URL", "auth:8000"),
        ("SERVICE_CLIENT_SECRET_FILE", "/nowhere"),
    ],
)
def test_a_bad_setting_is_named_and_a_password_is_not_shown(name: str, value: str) -> None:
    with environment(**{name: value}), pytest.raises(SettingsError) as caught:
        PeerSettings.from_environment()
    assert name in caught.value.problems
    assert "hunter2" not in str(caught.value)


def test_a_service_without_settings_ends_with_its_own_exit_code() -> None:
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


def test_settings_do_not_show_the_database_password() -> None:
    with environment(
        DATABASE_URL="postgresql://clients:hunter2@db/clients",
        CONTRACTS_DIR=str(CONTRACTS),
        JWKS_URL="http://auth/users/jwks.json",
        TOKEN_URL="http://auth/users/token",
        SERVICE_CLIENT_ID="clients",
        SERVICE_CLIENT_SECRET_FILE=__file__,
    ):
        assert "hunter2" not in repr(PeerSettings.from_environment())
