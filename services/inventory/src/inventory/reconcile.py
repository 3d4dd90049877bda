"""``python -m inventory.reconcile``: asks the owners of all ids whether they still exist.

Deletes reach the inventory through the relays; this finds what they could not have told of, as
after a restored backup. Only the live realm is compared, since a service's token is of that realm;
what monitors leave behind expires.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field

from sqlalchemy.exc import DBAPIError

from inventory import repository
from inventory.domain import Kind
from inventory.gateways import Owners, exists
from inventory.peers import ask
from inventory.settings import InventorySettings
from servicekit.auth.service_token import ServiceToken
from servicekit.db.database import Database
from servicekit.problems import Forbidden, Problem
from servicekit.settings import settings_or_exit
from servicekit.telemetry import logs

KINDS: tuple[Kind, ...] = ("client", "product")
BATCH = 500  # ids a query
AT_ONCE = 8  # questions
LEFT = 1  # exit codes; the greater ones are those of sysexits.h
EX_TEMPFAIL = 75
EX_NOPERM = 77


@dataclass
class Report:
    """What was found and done."""

    checked: dict[str, int] = field(default_factory=dict)  # ids, by kind
    missing: dict[str, int] = field(default_factory=dict)  # ids, by kind
    inventory_orphan_rows: int = 0
    removed_rows: int = 0


@dataclass(frozen=True)
class Reconciliation:
    """One comparison of the inventory with the owners of its ids."""

    database: Database
    owners: Owners
    token: ServiceToken
    report: Report = field(default_factory=Report)
    run: str = field(default_factory=lambda: f"reconcile-{uuid.uuid4()}")

    def missing(self, kind: Kind, at_most: int) -> list[int]:
        """Return ids whose owner says that they do not exist; stop above ``at_most`` of them."""
        found: list[int] = []
        checked = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for ids in self._batches(kind):
                answers = pool.map(lambda subject: self._exists(kind, subject), ids)
                found += [i for i, is_there in zip(ids, answers, strict=True) if not is_there]
                checked += len(ids)
                if len(found) > at_most:
                    break
        self.report.checked[kind] = checked
        self.report.missing[kind] = len(found)
        return found

    def orphans(self, kind: Kind, missing: list[int], grace: float) -> int:
        """Return how many entries still belong to ``missing`` once the relays had their time."""
        deadline = time.monotonic() + grace
        while True:
            with self.database.autocommit() as connection:
                count = repository.count_entries(connection, kind, missing)
            if not count or time.monotonic() >= deadline:
                self.report.inventory_orphan_rows += count
                return count
            time.sleep(min(1.0, grace))

    def remove(self, kind: Kind, missing: list[int]) -> None:
        """Remove the entries of what is missing, for good."""
        for subject in missing:
            removed = repository.BATCH
            while removed == repository.BATCH:
                with self.database.transaction() as connection:
                    removed = repository.bury(connection, kind, subject)
                self.report.removed_rows += removed

    def keep(self) -> None:
        """Remember the report for who watches."""
        with self.database.autocommit() as connection:
            repository.keep_reconciliation(
                connection, self.report.inventory_orphan_rows, self.report.removed_rows
            )

    def close(self) -> None:
        """Close every connection."""
        self.token.close()
        self.owners.stop()
        self.database.close()

    def _batches(self, kind: Kind) -> Iterator[list[int]]:
        after = 0
        while True:
            with self.database.autocommit() as connection:
                ids = repository.live_subjects(connection, kind, after, BATCH)
            if not ids:
                return
            yield ids
            after = ids[-1]

    def _exists(self, kind: Kind, subject: int) -> bool:
        question = (self.owners.client if kind == "client" else self.owners.product)(subject)
        headers = {"Authorization": f"Bearer {self.token.get()}", "X-Request-ID": self.run}
        ask([question], headers)
        return exists(question)


def reconcile(work: Reconciliation, options: argparse.Namespace) -> int:
    """Compare and repair as the options say, and return the exit code."""
    code = 0
    for kind in KINDS:
        missing = work.missing(kind, options.at_most)
        if not missing or not work.orphans(kind, missing, options.grace):
            continue
        if options.dry_run or len(missing) > options.at_most:
            code = LEFT
        else:
            work.remove(kind, missing)
    work.keep()
    return code


def main() -> None:
    """Run once, print one line of JSON, and end with a code that says how it went."""
    options = _parser().parse_args()
    settings = settings_or_exit(InventorySettings.from_environment)
    logs.configure("inventory-reconcile", settings.log_level, sys.stderr)
    with closing(_prepare(settings)) as work:
        code = _outcome(work, options)
    print(json.dumps({"dry_run": options.dry_run, "complete": code <= LEFT, **asdict(work.report)}))
    raise SystemExit(code)


def _prepare(settings: InventorySettings) -> Reconciliation:
    return Reconciliation(
        Database(settings.database_url, connections=1, application="inventory-reconcile"),
        Owners(settings.clients_url, settings.products_url),
        ServiceToken(
            settings.token_url, settings.service_client_id, settings.service_client_secret_file
        ),
    )


def _outcome(work: Reconciliation, options: argparse.Namespace) -> int:
    try:
        return reconcile(work, options)
    except Problem as problem:
        sys.stderr.write(f"cannot compare: {problem}\n")
        return EX_NOPERM if isinstance(problem, Forbidden) else EX_TEMPFAIL
    except DBAPIError as error:
        reason = type(error).__name__
        sys.stderr.write(f"cannot compare: the database does not answer as it should ({reason})\n")
        return EX_TEMPFAIL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inventory.reconcile",
        description="Asks the clients and products services whether the ids in the inventory still"
        " exist, removes the entries of those that do not, and prints the counts as a line of JSON."
        " Its settings are those of the service, from the environment.",
        epilog="Exit codes: 0 nothing is left to repair, 1 orphans were left (--dry-run, or more"
        " than --at-most), 75 a service or the database did not answer, 77 the service's token"
        " does not allow the question, 78 a setting is missing or wrong.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only count")
    parser.add_argument(
        "--at-most",
        type=int,
        default=1000,
        metavar="IDS",
        help="remove nothing when more clients, or more products, are missing: then it is rather"
        " their database that is (1000)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=30,
        metavar="SECONDS",
        help="wait so long for the relays to remove the entries themselves (30)",
    )
    return parser


if __name__ == "__main__":
    main()
