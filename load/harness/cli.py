"""The command line: `run`, `capacity`, `clean`, `cost`, and `worker`."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from load.harness import capacity, client_ceiling
from load.harness.run import Order, RunError, check, earlier_run, execute, say, tell
from load.harness.run_result import OutcomeError
from load.harness.service_metrics import InsideError, targets
from load.harness.thresholds import Row, ThresholdError
from load.harness.verification import Aftermath
from load.shapes import SHAPES
from load.users.token_provider import AccessError

LOCUSTFILE = Path(__file__).resolve().parents[1] / "locustfile.py"
REPORTS = Path(__file__).resolve().parents[2] / "reports" / "load"
EXPECTED = (
    AccessError,
    RunError,
    OutcomeError,
    ThresholdError,
    client_ceiling.CostError,
    capacity.CapacityError,
    InsideError,
    httpx.HTTPError,
)


def main() -> int:
    """Run a command; 0 says that all thresholds were met, 1 that one missed, 2 that nothing ran."""
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # the one of a terminal, the one of a pod
        signal.signal(number, signal.default_int_handler)
    try:
        code: int = options.run(options)
    except EXPECTED as error:
        sys.stderr.write(f"load: {error}\n")
        return 2
    return code


def run(options: argparse.Namespace) -> int:
    """Run a shape, and judge it."""
    order = Order(
        url=options.url.rstrip("/"),
        shape=options.shape,
        model=options.model,
        load=options.users if options.model == "closed" else options.rate,
        seconds=options.duration,
        secret_file=options.secret_file,
        web_port=options.web_port if options.web else 0,
        with_cost=not options.no_cost,
        locust=options.locust,
    )
    check(order)
    earlier = Path(options.compare) if options.compare else earlier_run(options.reports, order)
    folder = options.reports / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{order.shape}"
    outcome = execute(order, folder)
    missed = tell(outcome, folder, earlier)
    print((folder / "summary.md").read_text())
    say(f"the page is {folder / 'report.html'}")
    return _verdict(missed)


def find_capacity(options: argparse.Namespace) -> int:
    """Find the highest rate that meets the thresholds."""
    order = Order(options.url.rstrip("/"), "step", secret_file=options.secret_file, with_cost=False)
    check(order)
    seen = capacity.Sight(options.data, targets(options.data, options.metrics))
    bounds = options.low, options.high, options.duration
    print(capacity.climb(order, options.reports / "capacity", seen, *bounds))
    return 0


def clean(options: argparse.Namespace) -> int:
    """Delete what a run left behind that was killed."""
    count = Aftermath(options.url.rstrip("/"), options.secret_file).clean(options.run_id)
    say(f"deleted {count} rows")
    return 0


def work(options: argparse.Namespace) -> int:
    """Call on behalf of a master elsewhere, until it says that all is over."""
    locust = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--worker"]
    os.execv(sys.executable, [*locust, "--master-host", options.master])  # noqa: S606 - ours


def measure(_: argparse.Namespace) -> int:
    """Measure the client's own cost."""
    print(f"{client_ceiling.measure():.0f} calls a second of one process against a static answer")
    return 0


def serve_static(_: argparse.Namespace) -> int:
    """Serve the static answer."""
    asyncio.run(client_ceiling.serve())
    return 0


def _verdict(missed: list[Row]) -> int:
    for row in missed:
        sys.stderr.write(f"load: MISS {row.name}: {row.seen}, and not {row.limit}\n")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = _command(commands, "run", run)
    one.add_argument("--shape", choices=list(SHAPES), default="smoke", help="the shape (smoke)")
    one.add_argument("--model", choices=("open", "closed"), default="open", help="the model (open)")
    one.add_argument("--rate", type=_positive, help="open: actions a second (the shape's own)")
    one.add_argument("--users", type=_positive, help="closed: users (the shape's own)")
    one.add_argument(
        "--duration", type=_positive, help="seconds of the main phase (the shape's own)"
    )
    one.add_argument("--compare", default="", help="an earlier run.json (the newest that fits)")
    one.add_argument("--web", action="store_true", help="show Locust's own page as well")
    one.add_argument("--web-port", type=int, default=8089, help="where (8089)")
    one.add_argument("--no-cost", action="store_true", help="do not measure the client alone first")
    one.add_argument("locust", nargs="*", help="after --: options of Locust's own, as --master")
    most = _command(commands, "capacity", find_capacity)
    most.add_argument("--low", type=_positive, default=20, help="a rate that is surely met (20)")
    most.add_argument("--high", type=_positive, default=500, help="doubled while it is met (500)")
    most.add_argument("--duration", type=_positive, default=15, help="seconds at each rate (15)")
    most.add_argument("--data", type=Path, default=Path(".cadastro"), help="of the make run here")
    most.add_argument(
        "--metrics",
        nargs="+",
        default=[],
        metavar="HOST:PORT",
        help="where services tell what they count: of each pod (those of make run METRICS=1)",
    )
    left = _command(commands, "clean", clean)
    left.add_argument("run_id", help="the mark that the run said when it began: load-...")
    worker = commands.add_parser("worker", help=work.__doc__, description=work.__doc__)
    worker.add_argument("--master", required=True, help="the master's name or address")
    worker.set_defaults(run=work)
    commands.add_parser("cost", help=measure.__doc__).set_defaults(run=measure)
    commands.add_parser("static", help=serve_static.__doc__).set_defaults(run=serve_static)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
    parser.set_defaults(run=function)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the system (%(default)s)")
    parser.add_argument(
        "--secret-file", default="", help="the monitors' secret: no live row is touched"
    )
    parser.add_argument("--reports", type=Path, default=REPORTS, help="where reports go")
    return parser


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0, and is {text!r}")
    return number
