"""The account that runs PostgreSQL, which refuses to run as root."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "cadastro-postgres"


class AccountError(Exception):
    """The account cannot be created; the message has a remedy."""


@dataclass(frozen=True)
class Account:
    """The owner of PostgreSQL's files and of its process."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> "Account":
        """Return the account of this process; for root, a dedicated system account.

        Raises:
            AccountError: the dedicated account cannot be created.

        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _create()
            entry = pwd.getpwnam(SYSTEM_USER)
        return cls(entry.pw_uid, entry.pw_gid)

    def can_execute(self, program: Path) -> bool:
        """Return whether the account may open all parent folders and execute the program."""
        return all(self._has_x(path.stat()) for path in (program, *program.parents))

    def _has_x(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def _create() -> None:
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
        raise AccountError(
            "PostgreSQL does not run as root, and its account could not be created: "
            f"run as another user, or run: {' '.join(command)}"
        ) from error
