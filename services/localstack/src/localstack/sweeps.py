"""`python -m localstack.sweeps NAME=URL ...`: sweeps each service's database now and then.

A cluster has CronJobs for that. What fails tells so in the log, and has its turn again.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping

EVERY = 900.0  # seconds, as the charts have it


def main() -> None:
    """Wait, sweep, and so on, until somebody ends it."""
    parser = argparse.ArgumentParser(prog="python -m localstack.sweeps", description=__doc__)
    parser.add_argument("databases", nargs="+", metavar="NAME=URL", help="a service's database")
    parser.add_argument(
        "--every", type=float, default=EVERY, metavar="SECONDS", help=f"({EVERY:.0f})"
    )
    options = parser.parse_args()
    databases = dict(argument.split("=", 1) for argument in options.databases)
    while True:
        time.sleep(options.every)
        sweep(databases)


def sweep(databases: Mapping[str, str]) -> None:
    """Sweep each service's database once; ``databases`` has their URLs by the services' names."""
    for name, url in databases.items():
        command = [sys.executable, "-m", f"{name}.sweep"]
        subprocess.run(command, check=False, env={**os.environ, "DATABASE_URL": url})  # noqa: S603 - ours


if __name__ == "__main__":
    main()
