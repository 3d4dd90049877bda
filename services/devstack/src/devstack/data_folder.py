"""The data folder: the database's files, secrets made once, logs, and a lock against other runs."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import IO

from devstack.service_catalog import PEERS

MONITOR = "synthetic"
OAUTH_CLIENTS = (*PEERS, MONITOR)


class FolderError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class DataFolder:
    """What outlives a run."""

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
        """Make what is missing, and keep other runs out.

        Raises:
            FolderError: it cannot be written, or another run uses it.

        """
        try:
            for folder in (self.path, self.logs, self.traefik):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.path / "secrets", self.keys, self.oauth_clients, self.monitor):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._keep_others_out()
            self._make_secrets()
        except OSError as error:
            message = (
                f"the data folder {self.path} cannot be used ({error.strerror}): "
                "make it writable, or name another one with DATA=..."
            )
            raise FolderError(message) from error

    def close(self) -> None:
        """Let other runs in."""
        if self._lock is not None:
            self._lock.close()

    def _keep_others_out(self) -> None:
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            message = (
                f"another run (process {lock.read().strip()}) uses the data folder {self.path}: "
                "stop it first, or name another folder with DATA=..."
            )
            raise FolderError(message) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _make_secrets(self) -> None:
        for name in OAUTH_CLIENTS:
            _write_once(self.oauth_clients / name, secrets.token_urlsafe(32))
        link = self.monitor / "client-secret"  # as a pod of a monitor finds it
        if not link.is_symlink():
            link.symlink_to(f"../{self.oauth_clients.name}/{MONITOR}")


def _write_once(path: Path, text: str) -> None:
    """Write a secret that only its owner reads, unless it is there; never half of it."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
