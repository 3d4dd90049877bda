"""The command `synthetic probe`: arguments, output and exit code."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic.probe.masking import MASK, print_traceback
from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.signals import Signals
from synthetic.probe.termination_log import TerminationLog
from synthetic.standard_output import OutputError, write_output

if TYPE_CHECKING:
    from synthetic.probe.exchanges import ExchangeLog

POD_TERMINATION_LOG = Path("/dev/termination-log")
EXIT_CODES = {"passed": 0, "failed": 1, "error": 2}
MAX_REDIRECTS = 20
OUTPUTS = ("table", "json", "junit", "har")
JSON_OUTPUTS = frozenset(("json", "har"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "journeys",
        metavar="JOURNEY",
        nargs="+",
        help="name of a journey, see `synthetic list`; or an Arazzo file, for all its workflows",
    )
    parser.add_argument("--file", type=Path, help="your own Arazzo document with JOURNEY")
    _add_target_arguments(parser)
    _add_limit_arguments(parser)
    _add_check_arguments(parser)
    parser.add_argument("--output", choices=OUTPUTS, default=OUTPUTS[0])
    parser.add_argument(
        "--verbose", action="store_true", help="print each exchange to stderr, without secrets"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the requests, and send nothing"
    )
    parser.add_argument(
        "--termination-log",
        type=Path,
        help=f"file for the termination message ({POD_TERMINATION_LOG} in a pod)",
    )


def _add_target_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", help="base URL of the system, like http://127.0.0.1:8080 (servers of the contract)"
    )
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="base URL of one source description",
    )
    parser.add_argument(
        "--credentials", type=Path, help="folder with files such as client-id and client-secret"
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a credential, such as api-key, or SCHEME.api-key for one security scheme",
    )
    parser.add_argument(
        "--client-certificate", type=Path, metavar="FILE", help="PEM certificate for mutual TLS"
    )
    parser.add_argument(
        "--client-key", type=Path, metavar="FILE", help="PEM key of --client-certificate"
    )
    parser.add_argument(
        "--proxy", metavar="URL", help="HTTP proxy of all requests, like http://proxy.example:3128"
    )
    parser.add_argument(
        "--proxy-file", type=Path, metavar="FILE", help="file with the URL of --proxy"
    )
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=VALUE", help="an input of the journey"
    )
    parser.add_argument("--inputs", type=Path, help="YAML or JSON file with inputs by name")
    parser.add_argument(
        "--inputs-from",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder with a file for each secret input, such as a mounted Secret",
    )


def _add_limit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=seconds, default=30.0, help="seconds for the run including retries (30)"
    )
    parser.add_argument(
        "--cleanup", type=seconds, default=15.0, help="seconds for the clean-up after the run (15)"
    )
    parser.add_argument(
        "--follow-redirects",
        type=int,
        choices=range(MAX_REDIRECTS + 1),
        default=0,
        metavar="N",
        help=f"redirects that a request follows, {MAX_REDIRECTS} at most (0)",
    )
    parser.add_argument(
        "--retries", type=int, choices=range(6), default=1, help="restarts of a failed journey (1)"
    )
    parser.add_argument(
        "--network-wait",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="time in which a cluster may not admit a new pod: until then, and until the first "
        "connection, none counts as failed (0)",
    )


def _add_check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--severity",
        default="",
        metavar="REASON=LEVEL,...",
        help="error, warn or off for http_status, auth, schema or assertion",
    )
    parser.add_argument(
        "--formats",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="check the formats of schemas (yes)",
    )


def run(options: argparse.Namespace) -> int:
    """Replay journeys, print the results, and return the exit code."""
    signals = Signals()
    signals.install()  # before the slow imports, so that a signal ends them in order too
    log = TerminationLog(None)
    try:
        log = TerminationLog(_termination_log(options.termination_log))
        return _run_all(options, log, signals)
    except OutputError:
        raise  # the runs and their termination message are complete
    except ProbeError as error:
        log.write(_not_run(options.journeys[0], str(error)))
        sys.stderr.write(MASK.mask(f"synthetic probe: {error}\n"))
    except Exception as error:  # noqa: BLE001 - a bug of the probe is no failure of the system
        log.write(_not_run(options.journeys[0], f"the probe crashed with {type(error).__name__}"))
        print_traceback()
    return EXIT_CODES["error"]


def _run_all(options: argparse.Namespace, log: TerminationLog, signals: Signals) -> int:
    # slow imports: invalid arguments are reported before them
    from synthetic.probe.batch import Batch  # noqa: PLC0415

    if options.dry_run and options.output != OUTPUTS[0]:
        raise ProbeError(
            f"--output {options.output} has no effect with --dry-run, which runs nothing: omit one"
        )
    batch = Batch(options, signals, log.write)
    if options.dry_run:
        write_output(MASK.mask(f"{batch.describe()}\n"))
        return EXIT_CODES["passed"]
    results = batch.run()
    worst = max(results, key=lambda result: EXIT_CODES[result.result])
    if len(results) > 1:
        log.write(worst)
    text = _formatter(options.output, batch.exchanges)(results)
    mask = MASK.mask_json if options.output in JSON_OUTPUTS else MASK.mask
    write_output(f"{mask(text)}\n")
    return EXIT_CODES[worst.result]


def _formatter(form: str, exchanges: "ExchangeLog | None") -> Callable[[list[RunResult]], str]:
    """Return the function for a form of output; each imports only what it needs."""
    if form == "json":
        from synthetic.probe.json_output import format_json  # noqa: PLC0415

        return format_json
    if form == "junit":
        from synthetic.probe.junit import format_junit  # noqa: PLC0415

        return format_junit
    if form == "har":
        from synthetic.probe.har import format_har  # noqa: PLC0415

        return lambda runs: format_har(exchanges.exchanges if exchanges else [], runs)
    from synthetic.probe.table import format_tables  # noqa: PLC0415

    return format_tables


def _not_run(name: str, problem: str) -> RunResult:
    run = RunResult(name, os.urandom(16).hex())
    run.end_with_error(problem)
    return run


def _termination_log(given: Path | None) -> Path | None:
    if given is None and os.access(POD_TERMINATION_LOG, os.W_OK):
        return POD_TERMINATION_LOG
    return given


def seconds(text: str) -> float:
    """Return a number of seconds up to an hour.

    Raises:
        argparse.ArgumentTypeError: the text is none.

    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:  # noqa: PLR2004 - an hour
        raise argparse.ArgumentTypeError(f"must be a number of seconds up to 3600, not {text!r}")
    return value
