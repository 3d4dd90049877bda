"""`python -m benchmarks`: Cadastro beside what people would pick instead."""

import argparse
import os
import sys

from benchmarks.drive.request_plan import OPERATIONS
from benchmarks.measure import (
    comparison,
    instruction_count,
    profile_layers,
    scaling,
    telemetry_overhead,
)
from benchmarks.measure.workload import Extent
from benchmarks.paths import ROOT
from benchmarks.progress import BenchError, say
from benchmarks.report import plot, table, targets
from benchmarks.testbed.testbed import Arena

REPORTS = ROOT / "reports" / "bench"
QUICK_ROWS = 100_000  # of the larger table
CALM = 0.5  # load average a core above which others disturb a measurement


def main() -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    return 0


def _compare(options: argparse.Namespace) -> None:
    _warn_when_shared()
    rounds, seconds = (3, 1.0) if options.quick else (5, 3.0)
    rows, requests = (QUICK_ROWS, 0) if options.quick else (targets.MILLION, targets.REQUESTS)
    with Arena() as arena:
        found = comparison.compare(arena, Extent(options.ops, rounds, seconds), rows, requests)
    text = "\n".join(table.lines(found))
    print(text)
    _keep("table.txt", text + "\n")
    _keep("plot.svg", plot.svg(found))
    _layers(options)


def _instructions(options: argparse.Namespace) -> None:
    found = instruction_count.count(("fetch", "create"))
    lines, well = instruction_count.judge(found)
    print("\n".join(lines))
    if options.keep:
        instruction_count.keep(found)
    elif not well and not options.tell:
        raise BenchError("a request takes more instructions than at the last landing")


def _layers(options: argparse.Namespace) -> None:
    for line in profile_layers.lines(options.ops, 3 if options.quick else 10):
        print(line, flush=True)


def _scale(options: argparse.Namespace) -> None:
    _warn_when_shared()
    shown = []
    for line in scaling.lines(options.rows, scaling.QUICK if options.quick else scaling.EXTENT):
        print(line, flush=True)
        shown.append(line)
    _keep("scale.txt", "\n".join([*shown, ""]))


def _telemetry(options: argparse.Namespace) -> None:
    _warn_when_shared()
    starts, seconds = (2, 1.0) if options.quick else (10, 2.0)
    for line in telemetry_overhead.lines(starts, seconds):
        print(line, flush=True)


def _keep(name: str, text: str) -> None:
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / name).write_text(text)
    say(f"kept {(REPORTS / name).relative_to(ROOT)}")


def _warn_when_shared() -> None:
    load = os.getloadavg()[0]
    if load > CALM * (os.cpu_count() or 1):
        say(f"others use this machine (load {load:.1f}): trust the ratios by CPU, not the rates")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    rounds = commands.add_parser("compare", help="paired rounds with the peers, goals, a plot")
    rounds.set_defaults(run=_compare)
    profile = commands.add_parser("layers", help="where a request's time goes in ours")
    profile.set_defaults(run=_layers)
    for command in (rounds, profile):
        command.add_argument("--quick", action="store_true", help="few and short measurements")
        names = " ".join(OPERATIONS)
        command.add_argument("--ops", type=_operations, default=OPERATIONS, help=f"of: {names}")
    more = commands.add_parser("scale", help="more rows, connections, workers, rows of a page")
    more.add_argument(
        "--rows",
        type=_rows,
        default=scaling.LARGEST,
        help="of the largest table (10000000)",
    )
    more.add_argument("--quick", action="store_true", help="few and short measurements")
    more.set_defaults(run=_scale)
    seen = commands.add_parser("telemetry", help="what metrics, logs and traces cost")
    seen.add_argument("--quick", action="store_true", help="few and short measurements")
    seen.set_defaults(run=_telemetry)
    counts = commands.add_parser("instructions", help="instructions of one fetch and one create")
    counts.add_argument("--keep", action="store_true", help="make them the figures to compare with")
    counts.add_argument("--tell", action="store_true", help="end with 0 when they have grown, too")
    counts.set_defaults(run=_instructions)
    return parser


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) <= scaling.EXTENT.rows:
        message = f"ROWS is a number greater than {scaling.EXTENT.rows}, and not {text}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _operations(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split()) or OPERATIONS
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown:
        message = f"OPS knows {', '.join(OPERATIONS)}, and not {', '.join(unknown)}"
        raise argparse.ArgumentTypeError(message)
    return names


if __name__ == "__main__":
    sys.exit(main())
