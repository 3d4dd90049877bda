"""A disk that becomes full or read-only under a running system with a client that writes."""

import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from pathlib import Path

import psycopg2

from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from tests.redteam.first_start import LocalSystem, Writer, read_emails
from tests.redteam.power_cut import Disk, PowerCutError, new_disk
from tests.redteam.rows import Plan, Row, SkippedPartError
from tests.support.steps import StepFailed

QUIET_SECONDS = 2.0  # before the fault
FAULT_SECONDS = 12.0
MAX_SECONDS = 2.0  # of a rejection during the fault
RECOVERY_SECONDS = 10.0
JOURNAL_FILES = 8  # more than PostgreSQL has in stock


def rows(_: Plan) -> Iterator[Row]:
    """Break the disk in three ways, repair it, and check all acknowledged writes."""
    yield _run("disk full, then freed", fill, ends=False)
    yield _run("disk full, journal too", fill_journal, ends=True)
    yield _run("disk read-only", lambda disk, _: disk.fail(), ends=True)


def fill(disk: Disk, _: Path) -> None:
    """Fill the disk."""
    disk.fill()


def fill_journal(disk: Disk, data: Path) -> None:
    """Fill the disk, and let PostgreSQL write to its journal until it needs another file."""
    disk.fill()
    folder = DataFolder(data)
    url = Postgres(folder.postgres, folder.logs / "postgres.log").url("clients")
    with suppress(psycopg2.Error), closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for _ in range(JOURNAL_FILES):
            connection.cursor().execute(
                "SELECT pg_logical_emit_message(false, 'x', repeat('y', 20000000))"
            )


def _run(name: str, fault: Callable[[Disk, Path], None], *, ends: bool) -> Row:
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    try:
        with new_disk(folder) as disk:
            return _attack(name, disk, folder, fault, ends=ends)
    except PowerCutError as error:
        raise SkippedPartError(str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _attack(
    name: str, disk: Disk, folder: Path, fault: Callable[[Disk, Path], None], *, ends: bool
) -> Row:
    data = disk.mount_point / "data"
    system = LocalSystem(data, folder / "first.txt")
    writer = Writer(system.url)
    try:
        system.wait_until_ready()
        writer.start()
        time.sleep(QUIET_SECONDS)
        began = time.monotonic()
        fault(disk, data)
        with suppress(subprocess.TimeoutExpired):
            system.process.wait(FAULT_SECONDS)
        errors = _faults(system, writer, ends=ends)
        statuses = Counter(r.status for r in writer.responses if r.started > began)
        failures = [r.seconds for r in writer.responses if r.started > began and not r.is_success]
        if not ends:
            disk.free()
            time.sleep(RECOVERY_SECONDS)
            if not writer.responses[-1].is_success:
                errors.append("no recovery after the disk was freed")
    finally:
        writer.stop()
        system.stop()
    slowest = max(failures, default=0.0)
    if slowest > MAX_SECONDS:
        errors.append("slow responses")
    if ends:
        disk.unmount()
        disk.mount()
        with suppress(FileNotFoundError):
            disk.free()
    lost = _lost_after_start(data, folder, writer, errors)
    counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    result = (
        f"{lost} of {len(writer.acknowledged)} writes lost; {counts}, the slowest {slowest:.1f} s"
    )
    return Row(name, result, "; ".join(errors))


def _faults(system: LocalSystem, writer: Writer, *, ends: bool) -> list[str]:
    """Return what is wrong during the fault."""
    if not ends:
        if system.process.poll() is not None:
            return [f"it ended: {system.last_line}"]
        busy = writer.responses[-1].status != HTTPStatus.SERVICE_UNAVAILABLE
        wrong = ["a write was not answered with 503"] if busy else []
        try:
            read_emails(system.url, writer)
        except StepFailed as error:
            wrong.append(f"reads fail: {error}")
        return wrong
    if system.process.poll() != 1:
        return [f"exit code {system.process.poll()} instead of 1"]
    is_named = "the disk of" in system.last_line and "start again" in system.last_line
    return [] if is_named else [f"no reason: {system.last_line}"]


def _lost_after_start(data: Path, folder: Path, writer: Writer, errors: list[str]) -> int:
    second = LocalSystem(data, folder / "second.txt")
    try:
        second.wait_until_ready()
        lost = len(writer.acknowledged - read_emails(second.url, writer))
    except StepFailed as error:
        errors.append(str(error))
        return len(writer.acknowledged)
    finally:
        second.stop()
    if lost:
        errors.append("writes are lost")
    return lost
