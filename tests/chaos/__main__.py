"""`make chaos`: inject faults into a running system, and check that its guarantees hold."""

import argparse
import signal
import sys

import psutil

from tests.chaos.experiment import HEADER, Experiment, Row
from tests.chaos.faults import FAULTS, SHORT_INTERVALS, Fault
from tests.chaos.mutant import Mutant, mutants
from tests.chaos.system import running
from tests.support.steps import Progress

SELFTEST_ROUNDS = 3

report = Progress("chaos")


def main() -> int:
    """Run the faults, print the table, and return 1 when a guarantee was violated."""
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))
    passed = selftest() if options.selftest else chaos(options)
    left = psutil.Process().children(recursive=True)
    if left:
        print(f"processes are left: {[p.pid for p in left]}")
    return 0 if passed and not left else 1


def chaos(options: argparse.Namespace) -> bool:
    """Inject the chosen faults into one system, and return whether every guarantee holds."""
    holds = True
    print(HEADER, flush=True)
    with running(report, SHORT_INTERVALS) as system:
        for fault in chosen(options.only):
            row = Experiment(system, fault, report, timed=not options.untimed).run(options.rounds)
            violations = [f"{'':8}{reason}" for reason in row.verdict.violations]
            print("\n".join([str(row), *violations]), flush=True)
            holds = holds and row.verdict.holds
            system.keep_logs = not holds
    return holds


def selftest() -> bool:
    """Run each mutant with the fault that must catch it, and return whether all were caught."""
    rows = [(mutant, _run_mutant(mutant)) for mutant in mutants()]
    print(HEADER)
    for mutant, row in rows:
        print(f"{row}  {'caught' if row.is_caught else 'NOT CAUGHT'}: {mutant.name}")
    caught = sum(row.is_caught for _, row in rows)
    print(f"self-test: {caught} of {len(rows)} mutants caught")
    return caught == len(rows)


def _run_mutant(mutant: Mutant) -> Row:
    report(f"self-test: {mutant.name}")
    (fault,) = (fault for fault in FAULTS if fault.name == mutant.caught_by)
    with running(report, SHORT_INTERVALS, mutant) as system:
        return Experiment(system, fault, report, timed=False).run(SELFTEST_ROUNDS)


def chosen(words: str) -> list[Fault]:
    """Return the faults with one of the comma-separated ``words`` in their names."""
    return [f for f in FAULTS if any(word in f.name.lower() for word in words.lower().split(","))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        epilog="Exit codes: 0 every guarantee holds, 1 one does not.",
    )
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each fault (20)")
    parser.add_argument(
        "--only", default="", metavar="WORD,...", help="only faults with a word in their name"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="check no time limits, for a busy machine"
    )
    parser.add_argument(
        "--selftest", action="store_true", help="check that mutants of the system are caught"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
