"""Backup and restore of a server that runs elsewhere, to a folder and to a real server of S3."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from obstore.store import S3Store

from devstack.backup import MANIFEST, back_up
from devstack.cluster.remote_server import RemoteServer
from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.restore import restore as restore_local
from devstack.service_catalog import SERVICES
from servicekit.testing import environment, wait_until
from tests.support.devstack.backup_commands import BackupCommands
from tests.support.s3_server import START_TIMEOUT_SECONDS, S3Server, running_s3
from tests.support.synthetic.authority import Authority

pytestmark = [pytest.mark.covers_subprocesses, pytest.mark.slow]
SETTINGS = """
SELECT datname, datconnlimit, setrole, setconfig
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase ORDER BY 1, 3
"""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server of S3."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.long)])
def commands(server: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> BackupCommands:
    """The commands for an empty folder, or for an empty prefix of a bucket."""
    if request.param == "folder":
        return BackupCommands(server, str(tmp_path / "sets"))
    s3: S3Server = request.getfixturevalue("s3")
    options = ("--endpoint", s3.url)
    return BackupCommands(server, f"s3://backups/{tmp_path.name}/sets", options, s3.environ)


def databases_of(server: Postgres) -> list[tuple[object, ...]]:
    """Return the names of all databases with their limits of connections."""
    return server.execute("SELECT datname, datconnlimit FROM pg_database ORDER BY 1")


def test_a_set_is_restored_while_sessions_of_services_exist(commands: BackupCommands) -> None:
    before = databases_of(commands.server)
    kept = commands.insert("kept")
    name = commands.back_up()
    lost = commands.insert("lost")
    url = commands.server.url("products", user="products")
    with closing(psycopg2.connect(url)) as session:
        report = commands.restore()
        with pytest.raises(psycopg2.OperationalError):
            session.cursor().execute("SELECT 1")
    assert report["set"] == name
    assert report["restored"]["products"]["products"]["lost"] == 1
    assert kept in commands.products()
    assert lost not in commands.products()
    assert commands.insert("new") > lost
    assert databases_of(commands.server) == before
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'products'::regclass"
    assert commands.server.execute(owner, (), "products") == [("products",)]


def test_a_restore_keeps_the_settings_of_the_databases(server: Postgres, tmp_path: Path) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    commands.back_up()
    statements = {
        "DATABASE products CONNECTION LIMIT 50": "CONNECTION LIMIT -1",
        "DATABASE products SET statement_timeout = '5s'": "RESET statement_timeout",
        "DATABASE products SET search_path = public, pg_catalog": "RESET search_path",
        "ROLE products IN DATABASE products SET app.owner = 'a=b'": "RESET app.owner",
    }
    try:
        for statement in statements:
            server.execute(f"ALTER {statement}")
        before = server.execute(SETTINGS)
        assert len(before) == 2
        commands.restore()
        assert server.execute(SETTINGS) == before
    finally:
        for statement, reset in statements.items():
            target = statement.partition(" SET ")[0].partition(" CONNECTION ")[0]
            server.execute(f"ALTER {target} {reset}")


def test_a_database_that_a_killed_restore_has_closed_is_opened(
    server: Postgres, tmp_path: Path
) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    commands.back_up()
    before = databases_of(server)
    server.execute("ALTER DATABASE products CONNECTION LIMIT 0")
    commands.restore()
    assert databases_of(server) == before


def test_a_chosen_set_is_restored_and_old_ones_are_removed(commands: BackupCommands) -> None:
    removed = commands.back_up("--keep", "2")
    first = commands.insert("first")
    chosen = commands.back_up("--keep", "2")
    second = commands.insert("second")
    newest = commands.back_up("--keep", "2")
    error = commands.fail("restore", "--set", removed)
    assert error == (
        f"restore: there is no complete backup {removed}: choose from {chosen}, {newest}"
    )
    commands.restore("--set", chosen)
    assert first in commands.products()
    assert second not in commands.products()


@pytest.mark.long
def test_a_repeated_run_restores_once(server: Postgres, tmp_path: Path) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    commands.back_up()
    commands.restore("--run-id", "a")
    later = commands.insert("later")
    assert commands.restore("--run-id", "a") == {}
    assert later in commands.products()
    commands.restore("--run-id", "b")
    assert later not in commands.products()


def test_a_place_without_a_complete_set_is_refused(commands: BackupCommands) -> None:
    assert commands.fail("restore") == "restore: there is no complete backup"


def test_a_damaged_set_leaves_all_databases_unchanged(server: Postgres, tmp_path: Path) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    folder = tmp_path / "sets" / commands.back_up()
    kept = commands.insert("kept")
    before = databases_of(server)
    (folder / "products.dump").write_bytes((folder / "products.dump").read_bytes()[:1000])
    assert "has a wrong checksum" in commands.fail("restore")
    (folder / "clients.dump").unlink()
    assert "is not a complete backup of clients" in commands.fail("restore")
    assert kept in commands.products()
    assert databases_of(server) == before


def test_a_restore_opens_databases_that_a_killed_one_has_closed(
    server: Postgres, tmp_path: Path
) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    before = databases_of(server)
    commands.back_up()
    server.execute("ALTER DATABASE clients CONNECTION LIMIT 0")
    server.execute("CREATE DATABASE clients_restored")
    commands.restore()
    assert databases_of(server) == before


def test_a_restore_waits_for_a_running_backup(server: Postgres, tmp_path: Path) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    commands.back_up()
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(1) as pool:
        with RemoteServer(server.url("postgres")).locked(shared=True):
            restored = pool.submit(commands.restore)
            wait_until(
                lambda: bool(server.execute(waiting)), "the restore to wait", START_TIMEOUT_SECONDS
            )
            assert not restored.done()
        assert restored.result()["set"]


def test_incomplete_sets_are_removed_after_a_day(server: Postgres, tmp_path: Path) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    for folder in ("20200101T000000.000000Z", "29990101T000000.000000Z", "other"):
        (tmp_path / "sets" / folder).mkdir(parents=True)
    name = commands.back_up()
    left = {path.name for path in (tmp_path / "sets").iterdir()}
    assert left == {"29990101T000000.000000Z", "other", name}


@pytest.mark.long
def test_a_set_moves_from_a_cluster_to_one_machine_and_back(
    server: Postgres, data_folder: Path, tmp_path: Path
) -> None:
    commands = BackupCommands(server, str(tmp_path / "sets"))
    commands.insert("moved")
    folder = tmp_path / "sets" / commands.back_up()
    products = commands.products()
    restored = restore_local(DataFolder(data_folder), folder, SERVICES)
    assert restored["products"]["products"].back == len(products)
    back_up(server, tmp_path / "local")
    later = commands.insert("later")
    BackupCommands(server, str(tmp_path / "local")).restore()
    assert commands.products() == products
    assert commands.insert("new") > later


@pytest.mark.long
def test_a_set_whose_upload_was_interrupted_is_no_set(
    server: Postgres, s3: S3Server, tmp_path: Path
) -> None:
    options = ("--endpoint", s3.url)
    commands = BackupCommands(server, f"s3://backups/{tmp_path.name}", options, s3.environ)
    complete, interrupted = commands.back_up(), commands.back_up()
    with environment(**s3.environ):
        store = S3Store("backups", prefix=tmp_path.name, endpoint=s3.url, allow_http=True)
        store.delete(f"{interrupted}/{MANIFEST}")
    assert commands.restore()["set"] == complete
    assert commands.fail("restore", "--set", interrupted).endswith(f"choose from {complete}")


@pytest.mark.long
def test_a_private_authority_of_s3_needs_its_certificate(server: Postgres, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with running_s3(tmp_path / "s3", authority) as s3:
        options = ("--endpoint", s3.url)
        commands = BackupCommands(server, "s3://backups", options, s3.environ)
        name = commands.back_up("--ca-file", str(authority.certificate))
        assert commands.restore("--ca-file", str(authority.certificate))["set"] == name
        assert commands.fail("restore").startswith("restore: S3 cannot be listed: ")
        missing = str(tmp_path / "none.pem")
        error = f"backup: {missing} cannot be read: No such file or directory"
        assert commands.fail("backup", "--ca-file", missing) == error


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_rejected_credentials_of_s3_are_reported(
    server: Postgres, s3: S3Server, command: str
) -> None:
    environ = {**s3.environ, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    commands = BackupCommands(server, "s3://backups/x", ("--endpoint", s3.url), environ)
    error = commands.fail(command)
    assert error.startswith(f"{command}: S3 cannot be ")
    assert "403" in error
    assert "wrong-secret" not in error


@pytest.mark.parametrize(
    "url", ["", "mysql://x", "postgresql://postgres@127.0.0.1:1/x?password=hidden"]
)
def test_a_database_that_cannot_be_used_is_reported(tmp_path: Path, url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack.cluster", "backup", str(tmp_path), "--wait", "0"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "DATABASE_URL is not" in done.stderr or "the database is unavailable" in done.stderr
    assert "hidden" not in done.stderr
    assert "Traceback" not in done.stderr
