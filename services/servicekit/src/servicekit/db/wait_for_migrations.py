"""Wait for the migrations of a release: ``python -m servicekit.db.wait_for_migrations clients``.

Every pod waits for that before it starts. It does so without Alembic and SQLAlchemy: to import them
takes a second of CPU, which pods that serve would lack while many start at once.
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

import psycopg2
from psycopg2.errors import UndefinedTable

from servicekit.settings import database_url, settings_or_exit

NOT_MIGRATED = 1
TERMINATED = 143  # 128 and the number of the signal, as shells have it
CONNECT_TIMEOUT = 5  # seconds
PAUSE = 1.0  # seconds between two looks
IDENTIFIERS = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> None:
    """Tell whether a database is migrated, or wait until it is."""
    options = _parser().parse_args(arguments)
    # the first process of a container does not end on SIGTERM by itself
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    package = options.service

    def say(text: str) -> None:
        sys.stderr.write(f"{package}: {text}\n")
        sys.stderr.flush()

    reason = lack(settings_or_exit(database_url), package, options.wait, say)
    if reason:
        say(reason)
        raise SystemExit(NOT_MIGRATED)


def lack(url: str, package: str, patience: float, say: Callable[[str], None] | None = None) -> str:
    """Return what keeps a database from serving a release; empty when nothing does.

    A database that a newer release has migrated serves: its changes only expand. It waits
    ``patience`` seconds for one that does, and calls ``say`` with each new reason why.
    """
    known, heads = revisions(package)
    deadline = time.monotonic() + patience
    reason, told = _lack(url, known, heads), ""
    while reason and time.monotonic() < deadline:
        if say is not None and reason != told:
            say(f"waiting: {reason}")
            told = reason
        time.sleep(min(PAUSE, max(0.05, deadline - time.monotonic())))
        reason = _lack(url, known, heads)
    return reason


def revisions(package: str) -> tuple[set[str], set[str]]:
    """Return all revisions of a service's history, and those that none follows.

    They are read as Alembic's files state them: each as a literal, on a line of its own.
    """
    known: set[str] = set()
    followed: set[str] = set()
    for file in _folder(package).glob("*.py"):
        stated = {name: ast.literal_eval(value) for name, value in _identifiers(file)}
        before = stated["down_revision"] or ()
        known.add(stated["revision"])
        followed.update([before] if isinstance(before, str) else before)
    return known, known - followed


def _folder(package: str) -> Path:
    found = find_spec(package)
    locations = (found and found.submodule_search_locations) or []
    folders = [Path(location) / "migrations" / "versions" for location in locations]
    if not folders or not folders[0].is_dir():
        message = f"there is no package {package} with migrations"
        raise ModuleNotFoundError(message)
    return folders[0]


def _identifiers(file: Path) -> list[tuple[str, str]]:
    return IDENTIFIERS.findall(file.read_text(encoding="utf-8"))


def _lack(url: str, known: set[str], heads: set[str]) -> str:
    try:
        current = _current(url)
    except psycopg2.OperationalError as error:
        first_line, _, _ = str(error).strip().partition("\n")
        return f"the database does not answer: {first_line}"
    is_newer = bool(current - known)
    return "" if is_newer or heads <= current else "the database is not migrated to this release"


def _current(url: str) -> set[str]:
    name = url.replace("postgresql+psycopg2://", "postgresql://", 1)  # libpq knows no drivers
    with (
        closing(psycopg2.connect(name, connect_timeout=CONNECT_TIMEOUT)) as connection,
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
        description="Tells whether DATABASE_URL's database has the migrations of a service.",
        epilog="Exit codes: 0 it has, 1 it has not, 78 a setting is missing or wrong.",
    )
    parser.add_argument("service", type=_service, help="its package, as clients")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="wait so long for them (0)"
    )
    return parser


if __name__ == "__main__":
    main()
