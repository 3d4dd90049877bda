"""The command `synthetic probe`: arguments, output and exit code."""

import argparse
import json
import os
import secrets
import sys
import traceback
from pathlib import Path

from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.signals import Signals
from synthetic.probe.termination_log import TerminationLog

POD_TERMINATION_LOG = Path("/dev/termination-log")
EXIT_CODES = {"passed": 0, "failed": 1, "error": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "journey", metavar="JOURNEY", help="name of the journey; see `synthetic list`"
    )
    parser.add_argument(
        "--url", required=True, help="base URL of the system, like http://127.0.0.1:8080"
    )
    parser.add_argument("--file", type=Path, help="your own Arazzo document with JOURNEY")
    parser.add_argument(
        "--timeout", type=_seconds, default=30.0, help="seconds for the run including retries (30)"
    )
    parser.add_argument(
        "--cleanup", type=_seconds, default=15.0, help="seconds for the clean-up after the run (15)"
    )
    parser.add_argument(
        "--retries", type=int, choices=range(6), default=1, help="restarts of a failed journey (1)"
    )
    parser.add_argument(
        "--credentials", type=Path, help="folder with the files client-id and client-secret"
    )
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument(
        "--termination-log",
        type=Path,
        help=f"file for the termination message ({POD_TERMINATION_LOG} in a pod)",
    )


def run(options: argparse.Namespace) -> int:
    """Replay a journey, print its result, and return the exit code."""
    signals = Signals()
    signals.install()  # before the slow imports, so that a signal ends them in order too
    not_run = RunResult(options.journey, secrets.token_hex(16), result="error", reason="runner")
    log = TerminationLog(None)
    try:
        log = TerminationLog(_termination_log(options.termination_log))
        result = _replay(options, log, signals)
    except ProbeError as error:
        log.write(not_run)
        sys.stderr.write(f"synthetic probe: {error}\n")
        return EXIT_CODES["error"]
    except Exception:  # noqa: BLE001 - a bug of the probe must not count as a failure of the system
        log.write(not_run)
        traceback.print_exc()
        return EXIT_CODES["error"]
    _show(result, options.output)
    return EXIT_CODES[result.result]


def _replay(options: argparse.Namespace, log: TerminationLog, signals: Signals) -> RunResult:
    # slow imports: invalid arguments are reported before them
    from synthetic.probe.credentials import read_credentials  # noqa: PLC0415
    from synthetic.probe.replay import replay  # noqa: PLC0415
    from synthetic.probe.runner import Limits  # noqa: PLC0415

    return replay(
        options.journey,
        options.url,
        read_credentials(options.credentials) if options.credentials else None,
        Limits(options.timeout, options.cleanup, options.retries),
        file=options.file,
        signals=signals,
        progress=log.write,
    )


def _show(result: RunResult, form: str) -> None:
    if form == "json":
        text = json.dumps(result.to_dict())
    else:
        from synthetic.probe.table import format_table  # noqa: PLC0415 - the JSON output needs none of it

        text = format_table(result)
    sys.stdout.write(f"{text}\n")


def _termination_log(given: Path | None) -> Path | None:
    if given is None and os.access(POD_TERMINATION_LOG, os.W_OK):
        return POD_TERMINATION_LOG
    return given


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:  # noqa: PLR2004 - an hour
        raise argparse.ArgumentTypeError(f"must be a number of seconds up to 3600, not {text!r}")
    return seconds
