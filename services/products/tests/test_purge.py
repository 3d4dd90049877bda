"""The purge of expired synthetic rows and idempotency keys."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, FakeIssuer
from tests.support.products.request_bodies import product_body

pytestmark = pytest.mark.covers_subprocesses


def run_purge(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command of the CronJob."""
    return subprocess.run(
        [sys.executable, "-m", "products.purge", *arguments],
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


def test_expired_synthetic_products_are_deleted_with_a_message_to_the_inventory(
    api: ContractClient, issuer: FakeIssuer, database_url: str
) -> None:
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        old = monitor.post("/products/create", json=product_body()).json()["id"]
        new = monitor.post("/products/create", json=product_body()).json()["id"]
        live = api.post("/products/create", json=product_body()).json()["id"]
        expire = "UPDATE products SET expires_at = now() - interval '1 s' WHERE id = :id"
        execute(database_url, expire, id=old)
        done = run_purge(database_url)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["deleted"]["synthetic_products"] == 1
        assert monitor.get(f"/products/fetch/{old}").status_code == 404
        assert monitor.get(f"/products/fetch/{new}").status_code == 200
        assert api.get(f"/products/fetch/{live}").status_code == 200
    messages = "SELECT kind FROM outbox WHERE subject_id = :id"
    assert execute(database_url, messages, id=old) == ["product"]


def test_only_synthetic_rows_have_an_expiry(
    api: ContractClient, issuer: FakeIssuer, database_url: str
) -> None:
    expires = (
        "SELECT expires_at - now() BETWEEN interval '59 min' AND interval '61 min' FROM products"
    )
    live = api.post("/products/create", json=product_body()).json()["id"]
    assert execute(database_url, f"{expires} WHERE id = {live}") == [None]
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        synthetic = monitor.post("/products/create", json=product_body()).json()["id"]
    assert execute(database_url, f"{expires} WHERE id = {synthetic}") == [True]


def test_more_than_one_batch_is_deleted(database_url: str) -> None:
    execute(
        database_url,
        "INSERT INTO products (realm, name, description, quantity, price, status, expires_at)"
        " SELECT 'synthetic', 'batch ' || n, '', 0, 0, true, now() - interval '1 s'"
        " FROM generate_series(1, 450) AS n",
    )
    assert json.loads(run_purge(database_url).stdout)["deleted"]["synthetic_products"] == 450


def test_old_idempotency_keys_are_deleted(api: ContractClient, database_url: str) -> None:
    for key in ("old", "new"):
        api.post("/products/create", json=product_body(), headers={"Idempotency-Key": key})
    age = "UPDATE idempotency_keys SET created_at = now() - interval '74 h' WHERE key = 'old'"
    execute(database_url, age)
    assert json.loads(run_purge(database_url).stdout)["deleted"]["idempotency_keys"] == 1
    left = execute(database_url, "SELECT key FROM idempotency_keys WHERE key IN ('old', 'new')")
    assert "new" in left
    assert "old" not in left


def test_the_errors_of_the_purge_name_no_address_and_the_invalid_setting() -> None:
    unavailable = run_purge("postgresql://postgres@127.0.0.1:9/nothing")
    assert (unavailable.returncode, unavailable.stdout) == (75, "")
    assert "127.0.0.1" not in unavailable.stderr
    wrong = run_purge("mysql://x")
    assert wrong.returncode == 78
    assert "DATABASE_URL" in wrong.stderr
    assert run_purge("", "--help").returncode == 0


def test_the_purge_waits_for_its_database(database_url: str) -> None:
    parts = urlsplit(database_url)
    folder = Path(parse_qs(parts.query)["host"][0])
    (socket,) = folder.glob(".s.PGSQL.*[0-9]")
    with tempfile.TemporaryDirectory() as place:
        url = parts._replace(query=f"host={place}").geturl()
        with subprocess.Popen(
            [sys.executable, "-m", "products.purge", "--wait", "30"],
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
        ) as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2)
            (Path(place) / socket.name).symlink_to(socket)
            assert process.wait(30) == 0


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "3601", "soon"])
def test_an_invalid_time_to_wait_is_refused(seconds: str) -> None:
    done = run_purge("", f"--wait={seconds}")
    assert done.returncode == 2
    assert f"--wait: must be a number of seconds up to 3600, not '{seconds}'" in done.stderr
