"""The data folder: database files, generated secrets, logs, and a lock against a second run."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import IO

from devstack.service_catalog import RESOURCE_SERVICES

MONITOR = "synthetic"
OAUTH_CLIENTS = (*RESOURCE_SERVICES, MONITOR)


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
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Create missing folders and secrets, and lock the folder.

        Raises:
            DataFolderError: it is not writable, or another run uses it.

        """
        try:
            for folder in (self.path, self.logs, self.traefik):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.path / "secrets", self.keys, self.oauth_clients, self.monitor):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._acquire_lock()
            self._create_secrets()
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

    def _create_secrets(self) -> None:
        for name in OAUTH_CLIENTS:
            _write_once(self.oauth_clients / name, secrets.token_urlsafe(32))
        link = self.monitor / "client-secret"  # the file name in the pod of a monitor
        if not link.is_symlink():
            link.symlink_to(f"../{self.oauth_clients.name}/{MONITOR}")


def _write_once(path: Path, text: str) -> None:
    """Write a secret atomically, readable by its owner only, unless the file exists."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
