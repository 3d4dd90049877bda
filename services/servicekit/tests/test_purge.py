"""Commands of each service's jobs: migrate and sweep."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url

pytestmark = pytest.mark.covers_subprocesses

KEYS = (
    "INSERT INTO idempotency_keys"
    " (principal, operation, key, fingerprint, status, headers, body, created_at)"
    " SELECT 'p', 'o', kept, '', 201, '{}', '{}', now() - CAST(kept AS interval)"
    " FROM unnest(ARRAY['72 h 30 min', '74 h']) AS kept"
)
# two synthetic rows, one of them expired, and a live one
ROWS = "(VALUES ('synthetic', -1), ('synthetic', 60), ('live', NULL)) AS row (realm, minutes)"
EXPIRES = "now() + minutes * interval '1 min'"

FILLED = {
    "auth": (
        (
            "INSERT INTO users (realm, name, name_key, password, expires_at)"
            f" SELECT realm, realm, realm || coalesce(minutes, 0), '', {EXPIRES} FROM {ROWS}"
        ),
        (
            "INSERT INTO login_failures (key, failures, last)"
            " VALUES ('old', 1, now() - interval '30 days'), ('new', 1, now())"
        ),
    ),
    "clients": (
        (
            "INSERT INTO clients (realm, name, email, email_key, cpf, balance, expires_at)"
            " SELECT realm, 'n', 'e', coalesce(minutes, 0), coalesce(minutes, 0), 0,"
            f" {EXPIRES} FROM {ROWS}"
        ),
    ),
    "inventory": (
        (
            "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
            " number_of_items, purchase_date, expires_at)"
            f" SELECT realm, 1, 1, 'n', 1, now(), {EXPIRES} FROM {ROWS}"
        ),
        "INSERT INTO gone VALUES ('client', 1, now() - interval '2 days'), ('client', 2, now())",
    ),
}
TABLES = {
    "auth": {"users": "synthetic_users", "login_failures": "login_failures"},
    "clients": {"clients": "synthetic_clients"},
    "inventory": {"inventory_items": "synthetic_entries", "gone": "tombstones"},
}


def command(name: str, url: str) -> str:
    """Run a command of a service on a database and return its output."""
    done = subprocess.run(
        [sys.executable, "-m", name],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def execute(url: str, *statements: str) -> Any:
    """Run statements on a database and return the scalar result of the last one, if any."""
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        number = results[-1].scalar() if results[-1].returns_rows else None
    engine.dispose()
    return number


@pytest.mark.parametrize("service", sorted(FILLED))
def test_sweep_deletes_only_expired_rows(
    postgres_url_factory: Callable[[], str], service: str
) -> None:
    url = postgres_url_factory()
    assert "is migrated" in command(f"{service}.migrate", url)
    execute(url, *FILLED[service], KEYS)
    tables = {**TABLES[service], "idempotency_keys": "idempotency_keys"}
    before = {table: execute(url, f"SELECT count(*) FROM {table}") for table in tables}
    output = json.loads(command(f"{service}.purge", url))
    assert output == {"service": service, "deleted": dict.fromkeys(tables.values(), 1)}
    for table, count in before.items():
        assert execute(url, f"SELECT count(*) FROM {table}") == count - 1
    (main, *_) = tables
    over = f"SELECT count(*) FROM {main} WHERE expires_at < now()"
    assert execute(url, over) == 0
    assert execute(url, f"SELECT count(*) FROM {main} WHERE realm = 'live'") == 1
    assert set(json.loads(command(f"{service}.purge", url))["deleted"].values()) == {0}
