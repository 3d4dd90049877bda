"""A PostgreSQL primary with a streaming replica."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack import environment
from devstack.postgres import Postgres
from devstack.postgres_programs import program
from devstack.pytest_postgres import FAST_SETTINGS, traversable_folder
from devstack.system_account import Account
from servicekit.testing import wait_until

# a commit is acknowledged after its flush, as by default; the flush itself is that of FAST_SETTINGS
SETTINGS = {
    **FAST_SETTINGS,
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "4",
}


@dataclass(frozen=True)
class Replication:
    """Two running servers."""

    primary: Postgres
    replica: Postgres

    def wait_until_replayed(self) -> None:
        """Wait until the replica has replayed the writes so far."""
        ((position,),) = self.primary.execute("SELECT pg_current_wal_flush_lsn()")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        wait_until(lambda: self.replica.execute(replayed) == [(True,)], "the replica to catch up")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the replay during the block."""
        state = "SELECT pg_get_wal_replay_pause_state()"
        self.replica.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.replica.execute(state) == [("paused",)], "the replay to pause")
        try:
            yield
        finally:
            self.replica.execute("SELECT pg_wal_replay_resume()")

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Stop all processes of the replica during the block, without an end of its connections."""
        assert self.replica.process is not None
        postmaster = psutil.Process(self.replica.process.pid)
        stopped = [postmaster, *postmaster.children()]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                process.resume()

    def kill_replica(self) -> None:
        """Kill the replica, as an out-of-memory killer does."""
        assert self.replica.process is not None
        self.replica.process.kill()
        self.replica.process.wait()


@contextmanager
def replication(settings: Mapping[str, str] | None = None) -> Iterator[Replication]:
    """Run a primary and a replica of it during the block; ``settings`` replace those above."""
    given = {**SETTINGS, **(settings or {})}
    with traversable_folder() as folder:
        primary = Postgres(folder / "primary", folder / "primary.log", given)
        primary.initialise()
        primary.start()
        replica = Postgres(folder / "replica", folder / "replica.log", given)
        try:
            _copy(primary, replica.folder)
            replica.start()
            yield Replication(primary, replica)
        finally:
            replica.stop()
            primary.stop()


def _copy(primary: Postgres, folder: Path) -> None:
    """Copy the data of a primary, with the settings of a streaming replica."""
    command = [program("pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    subprocess.run(
        [*command, "--pgdata", str(folder), "--dbname", primary.url("postgres")],
        check=True,
        env=environment.minimal(),
        stderr=subprocess.DEVNULL,  # a warning about the socket in the folder
    )
    (folder / ".s.PGSQL.5432.lock").unlink()
    account = Account.current()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
