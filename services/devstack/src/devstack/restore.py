"""`python -m devstack.restore`: restores all four databases of a backup, or some of them.

The system must be stopped. All dumps are restored to new databases, which then replace the old ones
together. The differences are printed, and sequences continue after the highest known id, so that no
id is reused. A data folder that does not exist is created, with new secrets. In another folder than
that of the backup, the sequences skip a million ids. Finally the inventory is reconciled with
clients and products.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devstack import databases, environment, prefork
from devstack.backup import (
    FAILURE,
    INTERRUPTED,
    BackupError,
    add_data_option,
    folder_option,
    interrupt_on_signals,
    is_of,
    locked,
    verify_dump,
)
from devstack.data_folder import DataFolder, DataFolderError
from devstack.databases import Difference
from devstack.postgres import Postgres, PostgresError
from devstack.service_catalog import SERVICES
from devstack.stack import RECONCILE_AT_MOST, Stack, StackError, free_ports
from devstack.supervisor import ProcessExitedError
from servicekit import durable_files

EXPECTED_ERRORS = (
    BackupError,
    DataFolderError,
    PostgresError,
    ProcessExitedError,
    StackError,
)


def main() -> int:
    """Restore, print the differences as a line of JSON, and return the exit code."""
    options = _parser().parse_args()
    environment.apply()
    os.umask(0o077)
    interrupt_on_signals()
    prefork.preload()
    folder = DataFolder(options.data)
    try:
        differences = restore(folder, options.backup, options.services)
        code, report = _reconcile(folder, options.at_most)
    except EXPECTED_ERRORS as error:
        sys.stderr.write(f"restore: {error}\n")
        return FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(
            "restore: interrupted; all databases are either as before or restored, and the next "
            "start completes the rest\n"
        )
        return INTERRUPTED
    restored = {n: {t: asdict(d) for t, d in each.items()} for n, each in differences.items()}
    print(json.dumps({"restored": restored, "inventory": report}))
    return code


def restore(
    folder: DataFolder, backup: Path, names: Collection[str]
) -> dict[str, dict[str, Difference]]:
    """Restore some services of a data folder, all or none, and return the differences.

    A new folder gets new secrets and empty databases first.

    Raises:
        BackupError: the backup cannot be used; all databases are unchanged.

    """
    dumps = {name: verify_dump(backup, name) for name in names}
    for name, (_, dumped_at) in dumps.items():
        sys.stderr.write(f"restore: {name}, as of {dumped_at}\n")
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    with locked(folder):
        try:
            server.initialise()
            server.start()
            databases.create_missing(server)
            # another system may have issued ids after the backup, which this one does not have
            gap = 0 if is_of(backup, server) else databases.NEW_FOLDER_GAP
            return databases.replace(
                server,
                {name: dump for name, (dump, _) in dumps.items()},
                gap=gap,
                before_swap=lambda: durable_files.write(folder.unreconciled, b""),
            )
        finally:
            server.stop()


def _reconcile(folder: DataFolder, at_most: int) -> tuple[int, dict[str, Any]]:
    """Run the system on an unused port, and reconcile the inventory with clients and products."""
    sys.stderr.write("restore: reconciling the inventory with clients and products\n")
    with locked(folder):
        stack = Stack(
            folder,
            free_ports(1)[0],
            "strict",
            report=_discard,
            sleep=time.sleep,
            launch=prefork.ForkedProcess,
        )
        try:
            stack.start()
            return stack.reconcile(at_most)
        finally:
            stack.stop()


def _discard(_: str) -> None:
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.restore",
        description=__doc__,
        epilog="Exit codes: 0 success, 1 failure, or orphans in the inventory.",
    )
    parser.add_argument(
        "backup", type=folder_option("BACKUP"), help="folder created by python -m devstack.backup"
    )
    add_data_option(parser)
    parser.add_argument(
        "--services",
        type=_services,
        default=SERVICES,
        metavar="NAMES",
        help="comma-separated databases (all four)",
    )
    parser.add_argument(
        "--at-most",
        type=int,
        default=RECONCILE_AT_MOST,
        metavar="IDS",
        help="keep orphans if more than IDS clients, or products, are missing (1000)",
    )
    return parser


def _services(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split()) or SERVICES
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no service {unknown[0]}: choose from {', '.join(SERVICES)}"
        )
    return names


if __name__ == "__main__":
    sys.exit(main())
