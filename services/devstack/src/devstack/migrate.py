"""`python -m devstack.migrate NAME=URL ...`: migrates several services' databases in one go.

One process imports Alembic once; four of them would take most of a start.
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
