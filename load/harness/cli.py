"""Command line of the load: `run`, `capacity`, `clean`, `cost`, and `worker`."""

import argparse
import asyncio
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from load.harness import capacity, client_ceiling
from load.harness.cleanup import delete_rows
from load.harness.progress import report
from load.harness.run import execute, find_earlier_run, report_folder, write_report
from load.harness.run_config import LOCUSTFILE, RunConfig, RunError, prepare_reports, validate
from load.harness.run_result import RunResult, RunResultError
from load.harness.service_metrics import MetricsError, metrics_targets
from load.harness.system_client import SystemClient
from load.harness.thresholds import Check, ThresholdError
from load.shapes import SHAPES
from load.users.token_provider import LoginError

REPORTS = Path(__file__).resolve().parents[2] / "reports" / "load"
WEB_PORT = 8089
MAX_PORT = 65_535
LOCUST_REPLACEMENTS = {  # options of Locust that a shape or the options below override
    **dict.fromkeys(("--users", "--spawn-rate", "-u", "-r"), "--rate or --users"),
    **dict.fromkeys(("--run-time", "-t"), "--duration"),
}
EXPECTED_ERRORS = (
    LoginError,
    RunError,
    RunResultError,
    ThresholdError,
    client_ceiling.CeilingError,
    capacity.CapacityError,
    MetricsError,
    httpx.HTTPError,
    httpx.InvalidURL,
)


def main() -> int:
    """Run a command; return 0 if all thresholds were met, 1 if one missed, 2 without a run."""
    parser = _parser()
    options = parser.parse_args()
    if options.run is run:
        _reject_ignored(parser, options)
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal sends the one, Kubernetes the other
        signal.signal(number, signal.default_int_handler)
    try:
        code: int = options.run(options)
    except EXPECTED_ERRORS as error:
        sys.stderr.write(f"load: {error}\n")
        return 2
    return code


def run(options: argparse.Namespace) -> int:
    """Run a shape, and evaluate it."""
    config = RunConfig(
        url=options.url.rstrip("/"),
        shape=options.shape,
        model=options.model,
        load=options.users if options.model == "closed" else options.rate,
        seconds=options.duration,
        secret_file=options.secret_file,
        web_port=(options.web_port or WEB_PORT) if options.web else 0,
        measure_ceiling=not options.no_cost,
        locust_options=options.locust,
    )
    if options.compare:
        RunResult.load(Path(options.compare))  # a mistake must not be found only after the run
    prepare_reports(options.reports)
    validate(config)
    found = Path(options.compare) if options.compare else find_earlier_run(options.reports, config)
    folder = report_folder(options.reports, config.shape)
    missed = write_report(execute(config, folder), folder, found)
    print((folder / "summary.md").read_text())
    report(f"the report is {folder / 'report.html'}")
    return _exit_code(missed)


def find_capacity(options: argparse.Namespace) -> int:
    """Find the highest rate that meets the thresholds."""
    url = options.url.rstrip("/")
    config = RunConfig(url, "step", secret_file=options.secret_file, measure_ceiling=False)
    prepare_reports(options.reports)
    validate(config)
    observed = capacity.Observed(options.data, metrics_targets(options.data, options.metrics))
    bounds = options.low, options.high, options.duration
    print(capacity.find_capacity(config, options.reports / "capacity", observed, *bounds))
    return 0


def clean(options: argparse.Namespace) -> int:
    """Delete the rows of a killed run."""
    system = SystemClient(options.url.rstrip("/"), options.secret_file)
    report(f"deleted {delete_rows(system, options.run_id)} rows")
    return 0


def work(options: argparse.Namespace) -> int:
    """Run as a worker of a master until the master ends."""
    locust = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--worker"]
    os.execv(sys.executable, [*locust, "--master-host", options.master])  # noqa: S606 - ours


def measure(_: argparse.Namespace) -> int:
    """Measure the load generator itself."""
    calls = client_ceiling.measure()
    print(f"{calls:.0f} calls a second of one process against a static response")
    return 0


def serve_static(_: argparse.Namespace) -> int:
    """Serve a static response."""
    asyncio.run(client_ceiling.serve())
    return 0


def _reject_ignored(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error for an option that would have no effect."""
    if options.model == "open" and options.users is not None:
        parser.error("--users has no effect in the open model: use --rate, or --model closed")
    if options.model == "closed" and options.rate is not None:
        parser.error("--rate has no effect in the closed model: use --users, or --model open")
    if options.web_port is not None and not options.web:
        parser.error("--web-port has no effect without --web: add --web")
    for option in options.locust:
        name = option.partition("=")[0] if option.startswith("--") else option[:2]
        if name in LOCUST_REPLACEMENTS:
            replacement = LOCUST_REPLACEMENTS[name]
            parser.error(f"{name} has no effect after --: use {replacement} before it")


def _exit_code(missed: list[Check]) -> int:
    for check in missed:
        sys.stderr.write(f"load: MISS {check.name}: {check.observed}, limit: {check.limit}\n")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function, add_options in (
        ("run", run, _add_run_options),
        ("capacity", find_capacity, _add_capacity_options),
    ):
        command = _command(commands, name, function)
        command.add_argument("--reports", type=Path, default=REPORTS, help="folder of the reports")
        add_options(command)
    cleaning = _command(commands, "clean", clean)
    cleaning.add_argument("run_id", help="the id that the run reported at its start: load-...")
    worker = commands.add_parser("worker", help=work.__doc__, description=work.__doc__)
    worker.add_argument("--master", required=True, help="the master's name or address")
    worker.set_defaults(run=work)
    commands.add_parser("cost", help=measure.__doc__).set_defaults(run=measure)
    commands.add_parser("static", help=serve_static.__doc__).set_defaults(run=serve_static)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--shape", choices=list(SHAPES), default="smoke", help="default: smoke")
    add("--model", choices=("open", "closed"), default="open", help="default: open")
    add("--rate", type=_positive, help="open model: actions a second (default: the shape's)")
    add("--users", type=_positive, help="closed model: users (default: the shape's)")
    add("--duration", type=_positive, help="main phase in seconds (default: the shape's)")
    add("--compare", default="", help="an earlier run.json (default: the newest of the shape)")
    add("--web", action="store_true", help="serve Locust's web page too")
    add("--web-port", type=_port, help=f"with --web (default: {WEB_PORT})")
    add("--no-cost", action="store_true", help="do not measure the load generator first")
    add("locust", nargs="*", help="options of Locust after --, as --master")


def _add_capacity_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--low", type=_positive, default=20, help="a rate that is certainly met (20)")
    add("--high", type=_positive, default=500, help="upper bound, doubled while it is met (500)")
    add("--duration", type=_positive, default=15, help="seconds at each rate (15)")
    add("--data", type=Path, default=Path(".cadastro"), help="data folder of `make run`")
    add(
        "--metrics",
        nargs="+",
        default=[],
        metavar="HOST:PORT",
        help="metrics addresses of the services' pods (default: those of make run METRICS=1)",
    )


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
    parser.set_defaults(run=function)
    add = parser.add_argument
    add("--url", default="http://127.0.0.1:8080", help="address of the system (%(default)s)")
    add("--secret-file", default="", help="the monitors' secret: rows are not in the live realm")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:6]) <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be a port from 1 to {MAX_PORT}, and is {text!r}")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:  # nor NaN
        raise argparse.ArgumentTypeError(f"must be a number above 0, and is {text!r}")
    return number
