"""Benchmarks of Cadastro, and a comparison with other stacks."""

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
from benchmarks.measure.workload import Workload
from benchmarks.paths import ROOT
from benchmarks.progress import BenchmarkError, report
from benchmarks.report import plot, table, targets
from benchmarks.testbed.testbed import Testbed

REPORTS = ROOT / "reports" / "bench"
QUICK_ROWS = 100_000  # of the larger table
MAX_LOAD_AVERAGE = 0.5  # a core, before the benchmark starts


def main() -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except BenchmarkError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    return 0


def _compare(options: argparse.Namespace) -> None:
    _warn_when_busy()
    rounds, seconds = (3, 1.0) if options.quick else (5, 3.0)
    rows = QUICK_ROWS if options.quick else targets.LARGER_ROWS
    requests = 0 if options.quick else targets.MEMORY_REQUESTS
    with Testbed() as testbed:
        workload = Workload(options.ops, rounds, seconds)
        result = comparison.compare(testbed, workload, rows, requests)
    text = "\n".join(table.lines(result))
    print(text)
    _save("table.txt", text + "\n")
    _save("plot.svg", plot.svg(result))
    _profile(options)


def _count_instructions(options: argparse.Namespace) -> None:
    counts = instruction_count.count(("fetch", "create"))
    lines, is_met = instruction_count.compare_with_baseline(counts)
    print("\n".join(lines))
    if options.keep:
        instruction_count.save_baseline(counts)
    elif not is_met and not options.tell:
        raise BenchmarkError("a request takes more instructions than the baseline")


def _profile(options: argparse.Namespace) -> None:
    for line in profile_layers.lines(options.ops, 3 if options.quick else 10):
        print(line, flush=True)


def _scale(options: argparse.Namespace) -> None:
    _warn_when_busy()
    workload = scaling.QUICK if options.quick else scaling.WORKLOAD
    shown = []
    for line in scaling.lines(options.rows, workload):
        print(line, flush=True)
        shown.append(line)
    _save("scale.txt", "\n".join([*shown, ""]))


def _measure_telemetry(options: argparse.Namespace) -> None:
    _warn_when_busy()
    starts, seconds = (2, 1.0) if options.quick else (10, 2.0)
    for line in telemetry_overhead.lines(starts, seconds):
        print(line, flush=True)


def _save(name: str, text: str) -> None:
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / name).write_text(text)
    report(f"wrote {(REPORTS / name).relative_to(ROOT)}")


def _warn_when_busy() -> None:
    load = os.getloadavg()[0]
    if load > MAX_LOAD_AVERAGE * (os.cpu_count() or 1):
        report(f"the machine is busy (load {load:.1f}): the ratios by CPU are valid, not the rates")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    comparing = commands.add_parser("compare", help="rounds with the peers, targets, a plot")
    comparing.set_defaults(run=_compare)
    profiling = commands.add_parser("layers", help="profile of a request by layer")
    profiling.set_defaults(run=_profile)
    scale = commands.add_parser("scale", help="more rows, connections, workers, rows of a page")
    scale.set_defaults(run=_scale)
    telemetry = commands.add_parser("telemetry", help="overhead of metrics, logs and traces")
    telemetry.set_defaults(run=_measure_telemetry)
    for command in (comparing, profiling, scale, telemetry):
        command.add_argument("--quick", action="store_true", help="few and short measurements")
    for command in (comparing, profiling):
        names = " ".join(OPERATIONS)
        command.add_argument("--ops", type=_operations, default=OPERATIONS, help=f"of: {names}")
    rows = f"of the largest table ({scaling.MAX_ROWS})"
    scale.add_argument("--rows", type=_rows, default=scaling.MAX_ROWS, help=rows)
    counting = commands.add_parser("instructions", help="instructions of a fetch and a create")
    counting.add_argument("--keep", action="store_true", help="save them as the baseline")
    counting.add_argument("--tell", action="store_true", help="exit with 0 even when they grew")
    counting.set_defaults(run=_count_instructions)
    return parser


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) <= scaling.WORKLOAD.rows:
        raise argparse.ArgumentTypeError(
            f"ROWS must be a number above {scaling.WORKLOAD.rows}, and is {text}"
        )
    return int(text)


def _operations(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split()) or OPERATIONS
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown in OPS: {', '.join(unknown)}; there are {', '.join(OPERATIONS)}"
        )
    return names


if __name__ == "__main__":
    sys.exit(main())
