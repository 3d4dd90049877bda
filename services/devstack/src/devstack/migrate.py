"""`python -m devstack.migrate NAME=URL ...`: migrates the databases of several services.

One process imports Alembic once; four processes would take most of the start time.
"""

import sys

from servicekit.db import migrate


def main() -> None:
    """Migrate each database that an argument names."""
    for argument in sys.argv[1:]:
        name, _, url = argument.partition("=")
        print(f"migrating {name}", flush=True)
        migrate.upgrade(url, migrate.configuration(name))


if __name__ == "__main__":
    main()
