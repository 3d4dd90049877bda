"""The data folder: database files, generated secrets, logs, and a lock against a second run."""

import fcntl
import os
import re
import secrets
from pathlib import Path
from typing import IO

from devstack.service_catalog import RESOURCE_SERVICES
from servicekit import durable_files

MONITOR = "synthetic"
OAUTH_CLIENTS = (*RESOURCE_SERVICES, MONITOR)
MAX_LENGTH = 84  # bytes; PostgreSQL's socket in a subfolder has a path of at most 107
CONTENTS = frozenset({"lock", "logs", "postgres", "secrets", "traefik"})  # of a used folder

_SECRET = re.compile(rb"[!-~]+\s*")
_FORBIDDEN = re.compile(r"[,\x00-\x1f\x7f\ud800-\udfff]")  # libpq separates hosts by commas


class DataFolderError(Exception):
    """The data folder cannot be used; the message has the reason and a remedy."""


class DataFolder:
    """Paths of the persistent data of a system, and the lock of its run."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self.keys = self.path / "secrets" / "signing-keys"
        self.oauth_clients = self.path / "secrets" / "oauth-clients"
        self.monitor = self.path / "secrets" / "monitor"
        self.traefik = self.path / "traefik"
        self.metrics = self.path / "metrics.json"
        self.unreconciled = self.path / "unreconciled"  # exists until a restore is complete
        self.repairs: list[str] = []  # sentences
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Create missing folders and secrets, replace broken ones, and lock the folder.

        All of them survive a power loss after the return. ``repairs`` lists the replaced files.

        Raises:
            DataFolderError: it is not writable, another run uses it, or it has other files.

        """
        self._check_path()
        try:
            durable_files.create_folder(self.path)
            self._check_contents()
            subfolders = (self.logs, self.traefik, self.keys, self.oauth_clients, self.monitor)
            for folder in subfolders:
                durable_files.create_folder(folder)
            for folder in (self.path, self.path / "secrets", *subfolders):
                folder.chmod(0o700)  # an earlier release created some of them readable
            self._acquire_lock()
            for draft in (self.path / "secrets").rglob(".*.draft"):
                draft.unlink()  # a process was killed while it wrote the file
            self._create_secrets()
            self._discard_blank_keys()
        except OSError as error:
            raise DataFolderError(
                f"the data folder {self.path} cannot be used ({error.strerror}): "
                "make it writable, or name another one with DATA=..."
            ) from error

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()

    def _acquire_lock(self) -> None:
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise DataFolderError(
                f"another run (process {lock.read().strip()}) uses the data folder {self.path}: "
                "stop it first, or name another folder with DATA=..."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _check_path(self) -> None:
        if len(os.fsencode(self.path)) > MAX_LENGTH:
            raise DataFolderError(
                f"the path {self.path} is too long for PostgreSQL's socket: "
                f"name one of at most {MAX_LENGTH} bytes with DATA=..."
            )
        if _FORBIDDEN.search(str(self.path)):
            raise DataFolderError(
                f"the path {str(self.path)!r} has a comma, a control character, or bytes that are "
                "not UTF-8: name another one with DATA=..."
            )

    def _check_contents(self) -> None:
        """Reject a folder of other files, such as /tmp, which must not be closed to others."""
        found = {path.name for path in self.path.iterdir()} - {"lost+found"}
        if found and not found & CONTENTS:
            raise DataFolderError(
                f"{self.path} has other files ({min(found)}): "
                "name an empty or a new folder with DATA=..."
            )

    def _create_secrets(self) -> None:
        for name in OAUTH_CLIENTS:
            path = self.oauth_clients / name
            if path.exists():
                if _SECRET.fullmatch(path.read_bytes()):
                    continue
                self.repairs.append(f"the broken secret {path} was replaced")
            durable_files.write(path, secrets.token_urlsafe(32).encode())
        link = self.monitor / "client-secret"  # the file name in the pod of a monitor
        if not link.is_symlink():
            link.symlink_to(f"../{self.oauth_clients.name}/{MONITOR}")
            durable_files.sync_folder(self.monitor)

    def _discard_blank_keys(self) -> None:
        """Delete signing keys without content; a release that did not flush them left some."""
        for path in self.keys.iterdir():
            if path.is_file() and not path.read_bytes().strip(b"\0 \r\n\t"):
                path.unlink()
                self.repairs.append(f"the blank signing key {path} was deleted")
