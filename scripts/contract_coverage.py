"""Contract coverage: the statuses of each operation that each suite has seen.

Each suite writes one line `suite operationId status` for each response. A declared status that no
suite has seen is an error, and so is an undeclared status.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from servicekit.openapi.contract import load_contract, operations

CONTRACTS = Path(__file__).resolve().parent.parent / "openapi"

SUITES = ("unit", "fuzz", "acceptance", "monitor", "load")

Seen = dict[tuple[str, int], set[str]]


def main() -> int:
    """Print the coverage, and return 1 when it has gaps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder that the suites write to")
    seen = read(parser.parse_args().folder)
    declared = {
        (operation["operationId"], int(status))
        for path in sorted(CONTRACTS.glob("*.yaml"))
        for _, _, operation in operations(load_contract(path))
        for status in operation["responses"]
    }
    show(declared, seen)
    missing, undeclared = sorted(declared - seen.keys()), sorted(seen.keys() - declared)
    for operation_id, status in missing:
        print(f"never seen: {operation_id} {status}")
    for operation_id, status in undeclared:
        print(f"not declared: {operation_id} {status}")
    print(f"contracts: {len(declared) - len(missing)} of {len(declared)} declared statuses seen")
    return 1 if missing or undeclared else 0


def read(folder: Path) -> Seen:
    """Return the suites that saw each operation and status."""
    seen: Seen = defaultdict(set)
    for path in folder.glob("*.txt"):
        for line in path.read_text().splitlines():
            suite, operation_id, status = line.split()
            seen[operation_id, int(status)].add(suite)
    return seen


def show(declared: set[tuple[str, int]], seen: Seen) -> None:
    """Print a line for each operation: its statuses and the initials of their suites."""
    print("  " + ", ".join(f"{suite[0]}: {suite}" for suite in SUITES) + ", !: none")
    by_operation: dict[str, list[str]] = defaultdict(list)
    for operation_id, status in sorted(declared):
        suites = seen.get((operation_id, status), set())
        marks = "".join(suite[0] if suite in suites else "-" for suite in SUITES)
        by_operation[operation_id].append(f"{status} {marks if suites else '!'}")
    for operation_id, statuses in by_operation.items():
        print(f"  {operation_id:32}{'  '.join(statuses)}")
    for suite in SUITES:
        count = sum(suite in seen.get(each, ()) for each in declared)
        print(f"  {suite:12}{count:4} of {len(declared)}")


if __name__ == "__main__":
    sys.exit(main())
