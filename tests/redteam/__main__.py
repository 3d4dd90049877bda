"""`make redteam`: attack a local system, and check acknowledged writes and files."""

import argparse
import sys

from tests.redteam import (
    attack_table,
    disk_faults,
    hung_workers,
    interrupted_starts,
    killed_commands,
    parser_costs,
    readable_files,
    restored_systems,
)
from tests.redteam.rows import Part, Plan, SkippedPartError

PARTS: dict[str, Part] = {
    "kill": interrupted_starts.kills,
    "power cut": interrupted_starts.power_cuts,
    "disk": disk_faults.rows,
    "worker": hung_workers.rows,
    "backup": killed_commands.backups,
    "restore": killed_commands.restores,
    "restores": restored_systems.rows,
    "files": readable_files.rows,
    "parsers": parser_costs.parsers,
    "attacks": attack_table.attack_rows,
}
ONLY = f"parts: {', '.join(PARTS)}; attacks:WORD chooses attacks by name"


def main() -> int:
    """Run the parts, print a row for each attack, and return 1 if one of them succeeded."""
    options = _parser().parse_args()
    chosen = [each.partition(":") for each in options.only.split(",")]
    results = []
    for name in PARTS:
        rows = [row for part, _, row in chosen if part in name]
        if rows:
            results.append(run_part(name, Plan(options.rounds, options.seed, tuple(rows))))
    return 0 if all(results) else 1


def run_part(name: str, plan: Plan) -> bool:
    """Print the rows of a part, and return whether the system withstood all attacks."""
    errors = count = 0
    try:
        for row in PARTS[name](plan):
            print(row, flush=True)
            count += 1
            errors += bool(row.error)
    except SkippedPartError as error:
        print(f"{'SKIPPED':8}{name}: it cannot run here: {error}", flush=True)
        return True
    print(f"{name}: {count - errors} of {count} hold", flush=True)
    return not errors


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make redteam",
        description=__doc__,
        epilog="Exit codes: 0 no attack succeeded, 1 one did. Power cuts and faults of disks need "
        "root.",
    )
    parser.add_argument("--rounds", type=int, default=20, help="ends at random moments (20)")
    parser.add_argument("--only", default="", metavar="WORD,...", help=ONLY)
    parser.add_argument("--seed", type=int, default=1, help="seed of the random moments (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
