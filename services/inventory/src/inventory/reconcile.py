"""`python -m inventory.reconcile`: removes entries of clients and products that do not exist.

Deletions reach the inventory through relays. After the restore of a backup, entries may remain
without an owner, and tombstones of owners that exist again, which could not buy. Only the live
realm is checked, which is the realm of the service's token; synthetic entries expire.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from inventory import repository
from inventory.domain import Kind
from inventory.owner_services import OwnerServices, exists
from inventory.service_client import call_all
from inventory.settings import InventorySettings
from servicekit.auth.service_token import ServiceToken
from servicekit.db import failures
from servicekit.db.availability import add_wait_option, wait_until_available
from servicekit.db.database import Database
from servicekit.problems import Forbidden, Problem
from servicekit.settings import settings_or_exit
from servicekit.telemetry import logs

KINDS: tuple[Kind, ...] = ("client", "product")
BATCH_SIZE = 500  # ids of one query
CONCURRENCY = 8  # calls
EX_ORPHANS = 1
EX_NOPERM = 77  # sysexits.h

ReadIds = Callable[[Connection, Kind, int, int], list[int]]
"""Reads the next ids of a kind above an id, at most as many as a batch."""


@dataclass
class Report:
    """The results of a reconciliation."""

    checked: dict[str, int] = field(default_factory=dict)  # ids, by kind
    missing: dict[str, int] = field(default_factory=dict)  # ids, by kind
    inventory_orphan_rows: int = 0
    removed_rows: int = 0
    removed_tombstones: int = 0  # of owners that exist again


@dataclass(frozen=True)
class Reconciliation:
    """A comparison of the inventory with the services that own clients and products."""

    database: Database
    owners: OwnerServices
    token: ServiceToken
    report: Report = field(default_factory=Report)
    request_id: str = field(default_factory=lambda: f"reconcile-{uuid.uuid4()}")

    def find_missing(self, kind: Kind, at_most: int) -> list[int]:
        """Return ids that do not exist in their service; stop above ``at_most`` of them."""
        missing: list[int] = []
        checked = 0
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            for ids in self._batches(kind, repository.live_owner_ids):
                existing = self._existing(pool, kind, ids)
                missing += [owner_id for owner_id in ids if owner_id not in existing]
                checked += len(ids)
                if len(missing) > at_most:
                    break
        self.report.checked[kind] = checked
        self.report.missing[kind] = len(missing)
        return missing

    def count_orphans(self, kind: Kind, missing: list[int], grace: float) -> int:
        """Wait up to ``grace`` seconds for the relays, and return the number of orphan entries."""
        deadline = time.monotonic() + grace
        while True:
            with self.database.autocommit() as connection:
                count = repository.count_entries(connection, kind, missing)
            if not count or time.monotonic() >= deadline:
                self.report.inventory_orphan_rows += count
                return count
            time.sleep(min(1.0, grace))

    def remove_entries(self, kind: Kind, missing: list[int]) -> None:
        """Remove the entries of missing ids, and insert tombstones."""
        for owner_id in missing:
            removed = repository.BATCH_SIZE
            while removed == repository.BATCH_SIZE:
                with self.database.transaction() as connection:
                    removed = repository.tombstone(connection, kind, owner_id)
                self.report.removed_rows += removed

    def remove_stale_tombstones(self, kind: Kind, *, dry_run: bool) -> None:
        """Remove the tombstones of owners that exist: a restore brought them back.

        A tombstone is older than this check, and so is the deletion that it records.
        """
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            for ids in self._batches(kind, repository.tombstone_ids):
                stale = sorted(self._existing(pool, kind, ids))
                self.report.removed_tombstones += 0 if dry_run else len(stale)
                if stale and not dry_run:
                    with self.database.autocommit() as connection:
                        repository.remove_tombstones(connection, kind, stale)

    def save_report(self) -> None:
        """Store the report for the metrics."""
        with self.database.autocommit() as connection:
            repository.save_report(
                connection, self.report.inventory_orphan_rows, self.report.removed_rows
            )

    def close(self) -> None:
        """Close all connections."""
        self.token.close()
        self.owners.stop()
        self.database.close()

    def _batches(self, kind: Kind, read: ReadIds) -> Iterator[list[int]]:
        after = 0
        while True:
            with self.database.autocommit() as connection:
                ids = read(connection, kind, after, BATCH_SIZE)
            if not ids:
                return
            yield ids
            after = ids[-1]

    def _existing(self, pool: ThreadPoolExecutor, kind: Kind, ids: list[int]) -> set[int]:
        """Return those of the ids whose client or product exists."""
        results = pool.map(lambda owner_id: self._exists(kind, owner_id), ids)
        return {owner_id for owner_id, is_found in zip(ids, results, strict=True) if is_found}

    def _exists(self, kind: Kind, owner_id: int) -> bool:
        new_call = self.owners.client_call if kind == "client" else self.owners.product_call
        call = new_call(owner_id)
        headers = {"Authorization": f"Bearer {self.token.get()}", "X-Request-ID": self.request_id}
        call_all([call], headers)
        return exists(call)


def reconcile(reconciliation: Reconciliation, options: argparse.Namespace) -> int:
    """Find and remove orphan entries, and return the exit code."""
    code = 0
    for kind in KINDS:
        reconciliation.remove_stale_tombstones(kind, dry_run=options.dry_run)
        missing = reconciliation.find_missing(kind, options.at_most)
        if not missing or not reconciliation.count_orphans(kind, missing, options.grace):
            continue
        if options.dry_run or len(missing) > options.at_most:
            code = EX_ORPHANS
        else:
            reconciliation.remove_entries(kind, missing)
    reconciliation.save_report()
    return code


def main() -> None:
    """Reconcile once, print the report as a line of JSON, and exit."""
    options = _parser().parse_args()
    settings = settings_or_exit(InventorySettings.from_environment)
    logs.configure("inventory-reconcile", settings.log_level, sys.stderr)
    with closing(_connect(settings)) as reconciliation:
        code = _run(reconciliation, options)
    print(
        json.dumps(
            {
                "dry_run": options.dry_run,
                "complete": code <= EX_ORPHANS,
                **asdict(reconciliation.report),
            }
        )
    )
    raise SystemExit(code)


def _connect(settings: InventorySettings) -> Reconciliation:
    return Reconciliation(
        Database(settings.database_url, connections=1, application="inventory-reconcile"),
        OwnerServices(settings.clients_url, settings.products_url),
        ServiceToken(
            settings.token_url, settings.service_client_id, settings.service_client_secret_file
        ),
    )


def _run(reconciliation: Reconciliation, options: argparse.Namespace) -> int:
    wait_until_available(reconciliation.database, options.wait)
    try:
        return reconcile(reconciliation, options)
    except Problem as problem:
        sys.stderr.write(f"cannot reconcile: {problem}\n")
        return EX_NOPERM if isinstance(problem, Forbidden) else failures.EX_TEMPFAIL
    except DBAPIError as error:
        code, reason = failures.describe(error)
        sys.stderr.write(f"cannot reconcile: {reason}\n")
        return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inventory.reconcile",
        description="Remove the entries of clients and products that do not exist, and the"
        " tombstones of those that exist again; print the counts as a line of JSON. The settings"
        " are those of the service, from the environment.",
        epilog="Exit codes: 0 no orphans remain, 1 orphans remain (--dry-run, or more than"
        " --at-most), 70 the database rejected a statement, 75 a service or the database is"
        " unavailable, 77 the token lacks a scope, 78 a setting is missing or invalid.",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="count orphans without removing them"
    )
    parser.add_argument(
        "--at-most",
        type=int,
        default=1000,
        metavar="IDS",
        help="remove nothing if more clients, or products, are missing: their database may have"
        " been lost (1000)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=30,
        metavar="SECONDS",
        help="time for the relays to remove the entries first (30)",
    )
    add_wait_option(parser)
    return parser


if __name__ == "__main__":
    main()
