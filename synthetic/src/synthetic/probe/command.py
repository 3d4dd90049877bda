"""`synthetic probe`: from its arguments to its exit code."""

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
    """Say what the command takes."""
    parser.add_argument("journey", metavar="JOURNEY", help="its name; `synthetic list` has them")
    parser.add_argument("--url", required=True, help="the system, like http://127.0.0.1:8080")
    parser.add_argument("--file", type=Path, help="an Arazzo document of your own with JOURNEY")
    parser.add_argument(
        "--timeout", type=_seconds, default=30.0, help="seconds for the run, retries included (30)"
    )
    parser.add_argument(
        "--cleanup", type=_seconds, default=15.0, help="seconds after that for the clean-up (15)"
    )
    parser.add_argument(
        "--retries", type=int, choices=range(6), default=1, help="how often it may start over (1)"
    )
    parser.add_argument(
        "--credentials", type=Path, help="a folder with the files client-id and client-secret"
    )
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument(
        "--termination-log",
        type=Path,
        help=f"where to leave the message ({POD_TERMINATION_LOG} in a pod)",
    )


def run(options: argparse.Namespace) -> int:
    """Replay a journey, print what came of it, and return the exit code."""
    signals = Signals()
    signals.install()  # first: what comes while the rest is imported ends the run in order
    not_run = RunResult(options.journey, secrets.token_hex(16), result="error", reason="runner")
    log = TerminationLog(None)
    try:
        log = TerminationLog(_termination_log(options.termination_log))
        outcome = _replay(options, log, signals)
    except ProbeError as error:
        log.write(not_run)
        sys.stderr.write(f"synthetic probe: {error}\n")
        return EXIT_CODES["error"]
    except Exception:  # noqa: BLE001 - a fault of ours must not look like one of the system
        log.write(not_run)
        traceback.print_exc()
        return EXIT_CODES["error"]
    _show(outcome, options.output)
    return EXIT_CODES[outcome.result]


def _replay(options: argparse.Namespace, log: TerminationLog, signals: Signals) -> RunResult:
    # the imports cost more than all that comes before them: a wrong argument is told at once
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


def _show(outcome: RunResult, form: str) -> None:
    if form == "json":
        text = json.dumps(outcome.to_dict())
    else:
        from synthetic.probe.table import format_table  # noqa: PLC0415 - only for a person

        text = format_table(outcome)
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
        raise argparse.ArgumentTypeError(f"must be a number of seconds up to 3600, and is {text!r}")
    return seconds
