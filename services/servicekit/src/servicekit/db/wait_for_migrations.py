"""Wait for the migrations of a release: ``python -m servicekit.db.wait_for_migrations clients``.

It runs in an init container of every pod. Importing Alembic and SQLAlchemy would take a second of
CPU from the pods that serve, so it reads the revisions itself.
"""

import argparse
import ast
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.errors import UndefinedTable

from servicekit.libpq import connection_parameters
from servicekit.settings import database_url, settings_or_exit

NOT_MIGRATED = 1
TERMINATED = 143  # 128 + SIGTERM, the shells' convention
CONNECT_TIMEOUT = 5  # seconds
POLL_INTERVAL = 1.0  # seconds
IDENTIFIERS = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> None:
    """Check that a database is migrated, or wait until it is."""
    options = _parser().parse_args(arguments)
    # without a handler, PID 1 of a container ignores SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    package = options.service

    def report(text: str) -> None:
        sys.stderr.write(f"{package}: {text}\n")
        sys.stderr.flush()

    reason = pending_reason(settings_or_exit(database_url), package, options.wait, report)
    if reason:
        report(reason)
        raise SystemExit(NOT_MIGRATED)


def pending_reason(
    url: str, package: str, timeout: float, report: Callable[[str], None] | None = None
) -> str:
    """Return why a database is not ready for a release; empty if it is ready.

    A database at a newer release's revision is ready, since migrations only expand. The function
    waits up to ``timeout`` seconds, and calls ``report`` with each new reason.
    """
    known, heads = revisions(package)
    deadline = time.monotonic() + timeout
    reason, reported = _pending_reason(url, known, heads), ""
    while reason and time.monotonic() < deadline:
        if report is not None and reason != reported:
            report(f"waiting: {reason}")
            reported = reason
        time.sleep(min(POLL_INTERVAL, max(0.05, deadline - time.monotonic())))
        reason = _pending_reason(url, known, heads)
    return reason


def revisions(package: str) -> tuple[set[str], set[str]]:
    """Return all revisions of a service's history, and its heads.

    Each Alembic file must assign its identifiers as literals, on separate lines.
    """
    known: set[str] = set()
    parents: set[str] = set()
    for file in _folder(package).glob("*.py"):
        identifiers = {name: ast.literal_eval(value) for name, value in _identifiers(file)}
        parent = identifiers["down_revision"] or ()
        known.add(identifiers["revision"])
        parents.update([parent] if isinstance(parent, str) else parent)
    return known, known - parents


def _folder(package: str) -> Path:
    found = find_spec(package)
    locations = (found and found.submodule_search_locations) or []
    folders = [Path(location) / "migrations" / "versions" for location in locations]
    if not folders or not folders[0].is_dir():
        raise ModuleNotFoundError(f"there is no package {package} with migrations")
    return folders[0]


def _identifiers(file: Path) -> list[tuple[str, str]]:
    return IDENTIFIERS.findall(file.read_text(encoding="utf-8"))


def _pending_reason(url: str, known: set[str], heads: set[str]) -> str:
    try:
        current = _current(url)
    except psycopg2.OperationalError as error:
        first_line, _, _ = str(error).strip().partition("\n")
        return f"the database is unavailable: {first_line}"
    is_newer = bool(current - known)
    return "" if is_newer or heads <= current else "the database is not migrated to this release"


def _current(url: str) -> set[str]:
    parameters: dict[str, Any] = {**connection_parameters(url), "connect_timeout": CONNECT_TIMEOUT}
    with (
        closing(psycopg2.connect(**parameters)) as connection,
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute("SELECT version_num FROM alembic_version")
        except UndefinedTable:
            return set()
        return {revision for (revision,) in cursor.fetchall()}


def _service(package: str) -> str:
    try:
        _folder(package)
    except ModuleNotFoundError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return package


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m servicekit.db.wait_for_migrations",
        description="Check that DATABASE_URL's database has the migrations of a service.",
        epilog="Exit codes: 0 migrated, 1 not migrated, 78 a setting is missing or invalid.",
    )
    parser.add_argument("service", type=_service, help="package of a service, such as clients")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="time to wait for them (0)"
    )
    return parser


if __name__ == "__main__":
    main()
