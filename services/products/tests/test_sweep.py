"""The sweep: what monitors left behind goes as any other, and nothing else does."""

import json
import os
import subprocess
import sys
from typing import Any

from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, Issuer
from tests.support.products.request_bodies import product_body


def swept(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the sweep as its CronJob does."""
    return subprocess.run(
        [sys.executable, "-m", "products.sweep", *arguments],
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )


def execute(database_url: str, statement: str, **values: Any) -> list[Any]:
    """Run a statement on the service's database."""
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return list(result.scalars()) if result.returns_rows else []


def test_what_monitors_left_behind_is_deleted_once_it_has_expired(
    api: ContractClient, issuer: Issuer, database_url: str
) -> None:
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        old = monitor.post("/products/create", json=product_body()).json()["id"]
        new = monitor.post("/products/create", json=product_body()).json()["id"]
        live = api.post("/products/create", json=product_body()).json()["id"]
        expire = "UPDATE products SET expires_at = now() - interval '1 s' WHERE id = :id"
        execute(database_url, expire, id=old)
        done = swept(database_url)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["deleted"]["synthetic_products"] == 1
        assert monitor.get(f"/products/fetch/{old}").status_code == 404
        assert monitor.get(f"/products/fetch/{new}").status_code == 200
        assert api.get(f"/products/fetch/{live}").status_code == 200
    told = "SELECT kind FROM outbox WHERE subject_id = :id"
    assert execute(database_url, told, id=old) == ["product"]


def test_only_the_rows_of_monitors_expire(
    api: ContractClient, issuer: Issuer, database_url: str
) -> None:
    expires = (
        "SELECT expires_at - now() BETWEEN interval '59 min' AND interval '61 min' FROM products"
    )
    live = api.post("/products/create", json=product_body()).json()["id"]
    assert execute(database_url, f"{expires} WHERE id = {live}") == [None]
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        synthetic = monitor.post("/products/create", json=product_body()).json()["id"]
    assert execute(database_url, f"{expires} WHERE id = {synthetic}") == [True]


def test_more_than_one_batch_is_swept(database_url: str) -> None:
    execute(
        database_url,
        "INSERT INTO products (realm, name, description, quantity, price, status, expires_at)"
        " SELECT 'synthetic', 'batch ' || n, '', 0, 0, true, now() - interval '1 s'"
        " FROM generate_series(1, 450) AS n",
    )
    assert json.loads(swept(database_url).stdout)["deleted"]["synthetic_products"] == 450


def test_old_idempotency_keys_are_forgotten(api: ContractClient, database_url: str) -> None:
    for key in ("forgotten", "remembered"):
        api.post("/products/create", json=product_body(), headers={"Idempotency-Key": key})
    age = "UPDATE idempotency_keys SET created_at = now() - interval '73 h' WHERE key = 'forgotten'"
    execute(database_url, age)
    assert json.loads(swept(database_url).stdout)["deleted"]["idempotency_keys"] == 1
    left = execute(database_url, "SELECT key FROM idempotency_keys WHERE key LIKE '%ed'")
    assert "remembered" in left
    assert "forgotten" not in left


def test_a_sweep_says_what_is_wrong_with_its_database() -> None:
    away = swept("postgresql://postgres@127.0.0.1:9/nothing")
    assert (away.returncode, away.stdout) == (75, "")
    assert "127.0.0.1" not in away.stderr
    wrong = swept("mysql://x")
    assert wrong.returncode == 78
    assert "DATABASE_URL" in wrong.stderr
    assert swept("", "--help").returncode == 0
