"""Personal data and passwords in the files of a system, also after PostgreSQL has panicked."""

import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg2

from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from servicekit.testing import wait_until
from tests.redteam.first_start import LocalSystem
from tests.redteam.killed_commands import run
from tests.redteam.rows import Plan, Row
from tests.support.accounts import create_user, log_in, new_client
from tests.support.http_caller import HttpCaller

MAX_BYTES = 64 * 1024**2  # of a file that is searched
PANIC_SECONDS = 30.0
STATEMENT = "INSERT INTO clients (name, email, cpf) VALUES (%s, %s, %s)"


def rows(_: Plan) -> Iterator[Row]:
    """Search the files of a system that stores known values, fails, panics and is backed up."""
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    data, started = folder / "data", time.time()
    output = folder / "output.txt"
    system = LocalSystem(data, output)
    try:
        system.wait_until_ready()
        values = _store(system.url)
        done = run(["devstack.backup", "--data", str(data), "--to", str(folder / "backups")])
        has_panicked = _panic(data, values)
        time.sleep(1)  # buffered lines
        found = list(_files(folder, started))
        error = done.stderr.strip()[-200:] if done.returncode else ""
        if not _with_values(_stored(folder, found), values):
            error = "the search does not even find them in the database"
        readable = [path for path in found if is_readable(path)]
        yield _row("readable by other accounts", readable, values, error)
        logs = [path for path in found if path.suffix == ".log" or path == output]
        yield _row("logs", logs, values, "" if has_panicked else "PostgreSQL did not panic")
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _store(url: str) -> tuple[str, ...]:
    """Create a user and a client, send both again, and return the values that must stay secret."""
    user = create_user(url, "segredo")
    client = new_client(f"Segredo {secrets.token_hex(8)}", "segredo")
    with HttpCaller(url, log_in(url, user) or "") as caller:
        for _ in range(2):  # the second one violates a constraint
            caller.request("POST", "/clients/create", client)
            caller.request("POST", "/users/create", {"username": user[0], "password": user[1]})
        caller.request("GET", f"/clients/fetch?email={client['email']}")
    log_in(url, (user[0], f"wrong{user[1]}"))
    cpf = str(client["cpf"])
    digits = "".join(filter(str.isdigit, cpf))
    return *user, str(client["name"]), str(client["email"]), cpf, digits


def _panic(data: Path, values: tuple[str, ...]) -> bool:
    """Let PostgreSQL panic in a statement with the values, and return whether it did."""
    folder = DataFolder(data)
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    journal, away = server.folder / "pg_wal", server.folder / "pg_wal.away"
    _, _, name, email, _, digits = values
    with closing(psycopg2.connect(server.url("clients"))) as connection:
        connection.autocommit = True
        journal.rename(away)
        try:
            with suppress(psycopg2.Error):
                connection.cursor().execute("SELECT pg_switch_wal()")
            with suppress(psycopg2.Error):
                connection.cursor().execute(STATEMENT, (name, email, digits))
        finally:
            away.rename(journal)
    with suppress(TimeoutError):
        wait_until(lambda: "PANIC:" in server.log.read_text(), "the panic", PANIC_SECONDS)
        return True
    return False


def _files(folder: Path, started: float) -> Iterator[Path]:
    """Yield the files of the system, and those in the folder of temporary files since its start."""
    for root in (folder, Path(tempfile.gettempdir())):
        for place, _, names in os.walk(root):
            for path in (Path(place) / name for name in names):
                with suppress(OSError):
                    if path.is_relative_to(folder) == (root == folder) and _is_new(path, started):
                        yield path


def _is_new(path: Path, started: float) -> bool:
    found = path.lstat()
    is_small = found.st_size <= MAX_BYTES
    return stat.S_ISREG(found.st_mode) and is_small and found.st_mtime >= started - 1


def _stored(folder: Path, found: list[Path]) -> list[Path]:
    return [path for path in found if path.is_relative_to(folder / "data" / "postgres" / "base")]


def is_readable(path: Path) -> bool:
    """Return whether each account can read a file; a file that is gone is not readable."""
    try:
        may_enter = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
        return may_enter and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _with_values(paths: list[Path], values: tuple[str, ...]) -> list[str]:
    """Return the files that contain one of the values."""
    hits = []
    for path in paths:
        with suppress(OSError):
            content = path.read_bytes()
            if any(value.encode() in content for value in values):
                hits.append(str(path))
    return hits


def _row(name: str, paths: list[Path], values: tuple[str, ...], error: str) -> Row:
    hits = _with_values(paths, values)
    errors = [error] if error else []
    errors += [f"personal data in {', '.join(hits)}"] if hits else []
    result = f"{len(hits)} of {len(paths)} have personal data"
    return Row(f"files: {name}", result, "; ".join(errors))
