"""`python -m devstack.cluster`: backs up and restores the databases of a cluster.

DATABASE_URL is the URL of a superuser of the server. A set has the format of `make backup`.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import psycopg2

from devstack import databases
from devstack.backup import (
    FAILURE,
    INTERRUPTED,
    BackupError,
    interrupt_on_signals,
    is_of,
    system_id,
    verify_dump,
)
from devstack.cluster.backup_sets import BackupSets, open_sets, remove_old, select
from devstack.cluster.remote_server import RemoteServer
from devstack.service_catalog import SERVICES

ERRORS = (BackupError, OSError, psycopg2.Error)


def main() -> int:
    """Back up or restore, and return the exit code."""
    options = _parser().parse_args()
    os.umask(0o077)
    interrupt_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="backup-") as scratch:
            sets = open_sets(
                options.place,
                Path(scratch) / "sets",
                endpoint=options.endpoint,
                region=options.region,
                ca=options.ca_file,
            )
            server = RemoteServer(os.environ.get("DATABASE_URL", ""))
            server.wait(options.wait)
            with server.locked(shared=options.run is back_up):
                options.run(server, sets, options)
    except ERRORS as error:
        sys.stderr.write(f"{options.command}: {error}\n")
        return FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(f"{options.command}: interrupted\n")
        return INTERRUPTED
    return 0


def back_up(server: RemoteServer, sets: BackupSets, options: argparse.Namespace) -> None:
    """Add a set, remove old ones, and print the name of the set."""
    name = sets.add(server)
    remove_old(sets, options.keep, system_id(server))
    print(name)


def restore(server: RemoteServer, sets: BackupSets, options: argparse.Namespace) -> None:
    """Replace all databases by those of a set, once for each run, and print the differences.

    A run is repeated if its Job is; the databases then have its name.
    """
    if options.run_id and databases.mark(server) == options.run_id:
        sys.stderr.write("restore: this run has already replaced the databases\n")
        return
    backup = sets.fetch(select(sets, options.set, system_id(server)))
    dumps = {name: verify_dump(backup, name) for name in SERVICES}
    for name, (_, dumped_at) in dumps.items():
        sys.stderr.write(f"restore: {name}, as of {dumped_at}\n")
    differences = databases.replace(
        server,
        {name: dump for name, (dump, _) in dumps.items()},
        gap=0 if is_of(backup, server) else databases.NEW_FOLDER_GAP,
        exclusive=databases.closed_to_services(server, SERVICES),
        mark=options.run_id,
    )
    restored = {n: {t: asdict(d) for t, d in each.items()} for n, each in differences.items()}
    print(json.dumps({"set": backup.name, "restored": restored}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("place", help="folder, or s3://BUCKET/PREFIX")
    common.add_argument("--endpoint", default="", metavar="URL", help="endpoint of S3")
    common.add_argument("--region", default="us-east-1", help="region of S3 (us-east-1)")
    common.add_argument(
        "--ca-file", default="", metavar="FILE", help="further certificates to trust (PEM)"
    )
    common.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS", help="time for the database (60)"
    )
    adding = commands.add_parser("backup", parents=[common], help="add a set")
    adding.add_argument("--keep", type=_positive, default=7, help="sets of the server to keep (7)")
    adding.set_defaults(run=back_up)
    restoring = commands.add_parser("restore", parents=[common], help="restore a set")
    restoring.add_argument("--set", default="", metavar="NAME", help="default: the server's newest")
    restoring.add_argument(
        "--run-id", default="", metavar="ID", help="a run that has this name takes effect once"
    )
    restoring.set_defaults(run=restore)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("keep at least one")
    return number


if __name__ == "__main__":
    sys.exit(main())
