"""`make chaos`: breaks the running system on purpose, and checks that what it promises holds."""

import argparse
import signal
import sys

import psutil

from tests.chaos import mutant
from tests.chaos.experiment import HEADER, Row, Trial
from tests.chaos.faults import FAULTS, HURRIED, Fault
from tests.chaos.mutant import Variant
from tests.chaos.system import running

SELFTEST_ROUNDS = 3


def main() -> int:
    """Run the faults, print the table, and return 1 when a promise was broken."""
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))
    passed = selftest() if options.selftest else chaos(options)
    left = psutil.Process().children(recursive=True)
    if left:
        print(f"processes are left: {[p.pid for p in left]}")
    return 0 if passed and not left else 1


def chaos(options: argparse.Namespace) -> bool:
    """Try the faults that were asked for on one system, and tell whether everything holds."""
    holds = True
    print(HEADER, flush=True)
    with running(say, HURRIED) as system:
        for fault in chosen(options.only):
            row = Trial(system, fault, say, timed=not options.untimed).run(options.rounds)
            told = [f"{'':8}{reason}" for reason in row.verdict.faults]
            print("\n".join([str(row), *told]), flush=True)
            holds = holds and row.verdict.holds
            system.logs_matter = not holds
    return holds


def selftest() -> bool:
    """Try each broken variant with the fault that must catch it; tell whether none got away."""
    rows = [(variant, _try(variant)) for variant in mutant.variants()]
    print(HEADER)
    for variant, row in rows:
        print(f"{row}  {'caught' if row.caught else 'NOT CAUGHT'}: {variant.name}")
    caught = sum(row.caught for _, row in rows)
    print(f"self-test: {caught} of {len(rows)} broken variants caught")
    return caught == len(rows)


def _try(variant: Variant) -> Row:
    say(f"self-test: {variant.name}")
    (fault,) = (fault for fault in FAULTS if fault.name == variant.caught_by)
    with running(say, HURRIED, variant) as system:
        return Trial(system, fault, say, timed=False).run(SELFTEST_ROUNDS)


def chosen(words: str) -> list[Fault]:
    """Return the faults with one of the ``words``, which commas part, in their names."""
    return [f for f in FAULTS if any(word in f.name.lower() for word in words.lower().split(","))]


def say(text: str) -> None:
    """Show progress."""
    print(f"chaos: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        epilog="Exit codes: 0 everything holds, 1 something does not.",
    )
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each fault (20)")
    parser.add_argument(
        "--only", default="", metavar="WORD,...", help="only faults with a word in their name"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="do not judge how long things took: a busy machine"
    )
    parser.add_argument(
        "--selftest", action="store_true", help="show that broken variants of the system are caught"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
