"""The purge at intervals on one machine."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import wait_until

pytestmark = pytest.mark.covers_subprocesses

UNAVAILABLE = "postgresql://postgres@127.0.0.1:9/nothing"


def test_expired_rows_are_deleted_at_each_interval_despite_an_unavailable_database(
    migrated_url_factory: Callable[[str], str], tmp_path: Path
) -> None:
    url = migrated_url_factory("products")
    engine = create_engine(driver_url(url))
    log = tmp_path / "log"
    command = [sys.executable, "-m", "devstack.purge", "--every", "0.2"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, f"clients={UNAVAILABLE}", f"products={url}"], stdout=output, stderr=output
        )

    def is_deleted() -> bool:
        assert process.poll() is None
        with engine.connect() as connection:
            return not connection.scalar(text("SELECT count(*) FROM products"))

    try:
        for _ in range(2):
            with engine.begin() as connection:
                connection.execute(
                    text(
                        "INSERT INTO products"
                        " (realm, name, description, quantity, price, status, expires_at)"
                        " VALUES ('synthetic', 'x', '', 0, 0, true, now() - interval '1 s')"
                    )
                )
            wait_until(is_deleted, "the row to be deleted", 60)
    finally:
        process.terminate()
        process.wait()
        engine.dispose()
    assert "cannot purge clients" in log.read_text()
