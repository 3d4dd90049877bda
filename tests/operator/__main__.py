"""`make operator-bench`: test the operator on the cluster of KUBECONFIG.

The monitors are suspended, so that the operator is measured and not the probes. The namespaces
are temporary, and so is the CRD, unless one is installed. Tests with many monitors: starts,
repairs, an outage of the API server, a deleted namespace. Tests with few: rejected requests,
kills, runs that end without an operator, random statuses and termination messages. Two need a
node: wrong specs and documents, and ways in which a run cannot start.

A proxy simulates the outage of the API server. With two commands it is really stopped, for every
other client too.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial

import httpx

from tests.operator import (
    resilience,
    scale,
    start_failures,
    termination_message_fuzzing,
    validation,
)
from tests.operator.namespace import (
    CRD_FILE,
    MAINTENANCE_CRD_FILE,
    Namespace,
    installed_crds,
    temporary_namespace,
)
from tests.support.commands import CommandError, comma_separated
from tests.support.steps import Progress, StepRunner

PARTS = (
    *("starts", "put-back", "away", "deleted"),
    *("refusals", "kills", "unseen", "statuses", "messages", "bad-input", "cannot-start"),
)
SCALE_PARTS = PARTS[:4]

report = Progress("operator-bench")


class PartRunner(StepRunner):
    """Runs the chosen parts."""

    def __init__(self, chosen: list[str]) -> None:
        """Skip parts that are not ``chosen``."""
        super().__init__(report, CommandError, httpx.HTTPError)
        self.chosen = chosen

    def run_part(self, part: str, name: str, test: Callable[[], str]) -> None:
        """Run a test, if its part is chosen."""
        if part in self.chosen:
            self.run(name, test)


def main() -> int:
    """Run the parts, print the table, and return 1 when one failed."""
    options = _parser().parse_args()
    if not os.environ.get("KUBECONFIG") or shutil.which("kubectl") is None:
        sys.exit("operator-bench: set KUBECONFIG to the cluster's, and have kubectl on the PATH")
    if bool(options.stop_api) != bool(options.start_api):
        sys.exit("operator-bench: --stop-api and --start-api go together")
    runner = PartRunner(options.only)
    try:
        with installed_crds(CRD_FILE, MAINTENANCE_CRD_FILE):
            _run_scale_parts(runner, options)
            _run_small_parts(runner)
            runner.run_part("cannot-start", "cannot start", start_failures.check_start_failures)
    finally:
        for result in runner.results:
            print(f"{result.status:6}{result.name:12}{result.detail}", flush=True)
    return 0 if runner.all_ok else 1


def _run_scale_parts(runner: PartRunner, options: argparse.Namespace) -> None:
    if not set(runner.chosen) & set(SCALE_PARTS):
        return
    outage = scale.Outage(options.away, options.stop_api, options.start_api)
    with temporary_namespace() as here:
        report(f"creating {options.monitors} monitors")
        names = scale.populate(here, options.monitors)
        for name in scale.WRITES:
            start = partial(scale.measure_start, here, name, options.monitors)
            runner.run_part("starts", name, start)
        runner.run_part("put-back", "put back", partial(scale.measure_repair, here, names))
        runner.run_part("away", "away", partial(scale.survives_outage, here, names, outage, report))
        runner.run_part("deleted", "deleted", partial(scale.delete_namespace, here))


def _run_small_parts(runner: PartRunner) -> None:
    parts: dict[str, Callable[[Namespace], str]] = {
        "refusals": resilience.tolerates_rejections,
        "kills": lambda here: resilience.survives_kills(here, report),
        "unseen": resilience.counts_missed_runs,
        "statuses": resilience.survives_fuzzed_statuses,
        "messages": lambda here: termination_message_fuzzing.check_fuzzed_messages(here, report),
        "bad-input": lambda here: validation.check_validation(here, report),
    }
    for part, test in parts.items():
        if part in runner.chosen:
            with temporary_namespace() as here:
                runner.run_part(part, part.replace("-", " "), partial(test, here))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make operator-bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 every part succeeded, 1 one failed.",
    )
    parser.add_argument("--monitors", type=int, default=1000, help="the number of monitors (1000)")
    parser.add_argument(
        "--only",
        type=comma_separated(PARTS),
        default="",
        metavar="PART,...",
        help=f"some of {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--away", type=float, default=300.0, help="seconds without an API server (300)"
    )
    parser.add_argument("--stop-api", default="", help="a command that stops the API server")
    parser.add_argument("--start-api", default="", help="a command that starts it again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
