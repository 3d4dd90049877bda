"""`python -m devstack.migrate NAME=URL ...`: migrates the databases of several services.

One process imports Alembic once; four processes would take most of the start time.
"""

import sys

from servicekit.db import migrate


def main() -> int:
    """Check all databases that the arguments name, then migrate each; return the exit code.

    A failed check of one leaves all of them unchanged, so that the previous release still starts.
    """
    databases = dict(argument.split("=", 1) for argument in sys.argv[1:])
    reasons = [
        f"{name}: {reason}"
        for name, url in databases.items()
        for reason in migrate.refusals(url, migrate.configuration(name))
    ]
    if reasons:
        print("nothing was migrated, since these rows have to be changed with the previous release")
        print("\n".join(reasons), flush=True)
        return 1
    for name, url in databases.items():
        print(f"migrating {name}", flush=True)
        migrate.upgrade(url, migrate.configuration(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
