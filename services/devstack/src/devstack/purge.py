"""`python -m devstack.purge NAME=URL ...`: purges the database of each service at an interval.

In a cluster, CronJobs do this. A failed purge is logged and repeated at the next interval.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping

INTERVAL_SECONDS = 900.0  # as the default schedule of the charts


def main() -> None:
    """Purge at each interval until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m devstack.purge", description=__doc__)
    parser.add_argument("databases", nargs="+", metavar="NAME=URL", help="a service's database")
    parser.add_argument(
        "--every",
        type=float,
        default=INTERVAL_SECONDS,
        metavar="SECONDS",
        help=f"seconds between two purges ({INTERVAL_SECONDS:.0f})",
    )
    options = parser.parse_args()
    databases = dict(argument.split("=", 1) for argument in options.databases)
    while True:
        time.sleep(options.every)
        purge(databases)


def purge(databases: Mapping[str, str]) -> None:
    """Purge the database of each service once; ``databases`` maps service names to URLs."""
    for name, url in databases.items():
        command = [sys.executable, "-m", f"{name}.purge"]
        subprocess.run(command, check=False, env={**os.environ, "DATABASE_URL": url})  # noqa: S603 - ours


if __name__ == "__main__":
    main()
