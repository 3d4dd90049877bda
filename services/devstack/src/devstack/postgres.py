"""A PostgreSQL 18 server from a wheel, run as a child process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg2

from devstack import environment, postgres_log_filter
from devstack.log_file import open_log
from devstack.postgres_programs import COPIES, MAJOR, program_for
from devstack.supervisor import die_with_parent
from devstack.system_account import Account, AccountError
from servicekit import durable_files

SUPERUSER = "postgres"
SHARED_MEMORY_IN_USE = "is still in use"  # logged while processes of a killed server exist
LOG_TAIL_LINES = 3
MAX_SOCKET_FOLDER_LENGTH = 93  # bytes; the kernel allows 107 with the name of the socket
LOG_FILTER_TIMEOUT_SECONDS = 5.0
WORKING_FOLDER = "/proc/self/cwd" if sys.platform == "linux" else ""

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


class PostgresError(Exception):
    """PostgreSQL cannot run; the message has the reason and a remedy."""


class Postgres:
    """A server on a data folder, with a Unix socket in that folder."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str] | None = None) -> None:
        """Configure a server with data in ``folder`` and a log file, without starting it."""
        self.folder = folder.resolve()
        self.log = log.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = {**SETTINGS, **(settings or {})}
        self._log_filters: list[subprocess.Popen[bytes]] = []  # one for each start

    def url(self, database: str, user: str = SUPERUSER, password: str = "") -> str:
        """Return the URL of a database."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={quote(str(self.folder))}"

    def initialise(self) -> bool:
        """Create the data folder if it is missing, and return whether it was created.

        The folder gets its name when it is complete and on the disk, so that a start that was
        killed leaves nothing behind.

        Raises:
            PostgresError: the folder has data of another version, or cannot be used.

        """
        if len(os.fsencode(self.folder)) > MAX_SOCKET_FOLDER_LENGTH:
            raise PostgresError(
                f"the path {self.folder} is too long for a socket: name a shorter DATA=..."
            )
        for stale in self.folder.parent.glob(f".{self.folder.name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        version = self.folder / "PG_VERSION"
        if version.exists():
            self._check_version(version.read_text(errors="replace").strip())
            return False
        try:
            self._create()
        except OSError as error:
            raise PostgresError(
                f"cannot create {self.folder}: {error.strerror}; name another folder with DATA=..."
            ) from error
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
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)  # immediate; needs recovery
                self.process.wait()
        self._wait_for_log()

    def _launch(self) -> "subprocess.Popen[bytes]":
        settings = {**self._settings, "unix_socket_directories": ".", "listen_addresses": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [sys.executable, "-I", "-S", postgres_log_filter.__file__]
        with open_log(self.log) as log:
            log_filter = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._log_filters.append(log_filter)
        assert log_filter.stdin is not None  # noqa: S101 - a pipe was requested
        with log_filter.stdin as pipe:
            return self._popen("postgres", options, self.folder, pipe)

    def _is_memory_in_use(self) -> bool:
        """Return whether the start failed because processes of a killed server still exist."""
        self._wait_for_log()
        tail = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return any(SHARED_MEMORY_IN_USE in line for line in tail)

    def _wait_for_log(self) -> None:
        """Wait until the log is complete, after the server has exited.

        The filter of an earlier start ends later, while processes of a killed server still exist.
        """
        with suppress(subprocess.TimeoutExpired):
            while self._log_filters:
                self._log_filters[-1].wait(LOG_FILTER_TIMEOUT_SECONDS)
                self._log_filters.pop()

    def _check_version(self, found: str) -> None:
        if found != str(MAJOR):
            version = found[:20] or "(unknown)"
            raise PostgresError(
                f"{self.folder} holds the data of PostgreSQL {version}, and this is {MAJOR}: "
                "name another folder with DATA=..., or upgrade it with pg_upgrade"
            )

    def _create(self) -> None:
        """Create the data folder beside its place, and rename it."""
        if self.folder.is_dir() and any(self.folder.iterdir()):
            raise PostgresError(
                f"{self.folder} has files but no complete database: move them away, or name "
                "another folder with DATA=..."
            )
        durable_files.create_folder(self.folder.parent)
        draft = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))
        try:
            self._initdb(draft)
            durable_files.rename(draft, self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _initdb(self, folder: Path) -> None:
        if os.geteuid() == 0:
            account = self._account()
            os.chown(folder, account.uid, account.gid)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", SUPERUSER]
        if self._settings.get("fsync") == "off":  # of tests
            options.append("--no-sync")
        with open_log(self.log) as log:
            code = self._popen("initdb", options, folder, log).wait()
        if code != 0:
            raise PostgresError(
                f"initdb could not create {self.folder}; the reason is at the end of {self.log}"
            )

    def _popen(
        self, name: str, options: Sequence[str], folder: Path, log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program on a data folder.

        The program starts in the data folder and opens it as its working directory, so its account
        need not be able to open the parent folders (ADR 72).
        """
        account = self._account()
        try:
            path = program_for(account, name)
        except OSError as error:
            raise PostgresError(
                f"PostgreSQL does not run as root, and its programs cannot be copied to {COPIES} "
                f"for its account: {error.strerror}; run as another user"
            ) from error
        is_root = os.geteuid() == 0
        return subprocess.Popen(  # noqa: S603 - our own command
            [path, "-D", WORKING_FOLDER or str(folder), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment.minimal(),
            user=account.uid if is_root else None,
            group=account.gid if is_root else None,
            extra_groups=[] if is_root else None,
            start_new_session=True,  # without Ctrl-C; stop() has the right order
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - no threads here yet
        )

    @staticmethod
    def _account() -> Account:
        try:
            return Account.current()
        except AccountError as error:
            raise PostgresError(str(error)) from error
