"""`python -m devstack`: the whole system on one machine."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from devstack import disk, environment, memory_usage, prefork
from devstack.backup import folder_option
from devstack.banner import format_banner
from devstack.data_folder import DataFolder, DataFolderError
from devstack.disk import DiskWatch
from devstack.postgres import PostgresError
from devstack.stack import Stack, StackError, check_port
from devstack.supervisor import ProcessExitedError

MAX_PORT = 65_535
CHECK_INTERVAL_SECONDS = 0.2  # between two checks of the processes
DISK_CHECK_INTERVAL_SECONDS = 5.0

EXPECTED_ERRORS = (DataFolderError, PostgresError, ProcessExitedError, StackError)


def main() -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args()
    environment.apply()
    os.umask(0o077)  # logs and data may contain personal data
    if options.command == "memory":
        return memory_usage.main(options.data)
    return _RunCommand(options).main()


class _RunCommand:
    """`run`: start the system, test it, wait for a signal, stop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._stop_signals = 0
        self._stack: Stack | None = None
        self._started = time.monotonic()

    def main(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        prefork.preload()
        folder = DataFolder(self._options.data)
        failure: Exception | None = None
        try:
            check_port(self._options.port)
            folder.open()
            self._run(folder)
        except _StopRequestedError:
            pass
        except EXPECTED_ERRORS as error:
            failure = error
        finally:
            self._stop()
            folder.close()
        if failure is None:
            return 0
        problem = disk.problem(folder.path) if folder.path.is_dir() else ""
        reason = f"{failure}; {problem}, and start again" if problem else str(failure)
        sys.stderr.write(f"cadastro: {reason}\n")  # the last line of the output
        return 1

    def _run(self, folder: DataFolder) -> NoReturn:
        options = self._options
        self._stack = Stack(
            folder,
            options.port,
            options.validation,
            metrics=options.metrics,
            report=self._report,
            sleep=self._sleep,
            launch=prefork.ForkedProcess,
        )
        self._stack.start()
        if folder.unreconciled.exists():
            self._report("completing a restore that was interrupted: reconciling the inventory")
            self._stack.reconcile()
        self._report("replaying the journeys")
        self._stack.run_smoke_test()
        print(format_banner(self._stack.url), flush=True)
        watch = DiskWatch(folder.path, DISK_CHECK_INTERVAL_SECONDS)
        while True:
            self._sleep(CHECK_INTERVAL_SECONDS)
            if problem := watch.new_problem(time.monotonic()):
                self._report(problem)
            self._stack.check()

    def _stop(self) -> None:
        if self._stack is not None:
            self._report("stopping")
            self._stop_signals = max(self._stop_signals, 1)  # the next Ctrl-C kills at once
            self._stack.stop()
            self._report(f"stopped; the data is kept in {self._options.data}")

    def _report(self, text: str) -> None:
        sys.stderr.write(f"cadastro: [{time.monotonic() - self._started:5.1f} s] {text}\n")
        sys.stderr.flush()

    def _sleep(self, seconds: float) -> None:
        """Sleep, or raise after a signal, so that a step of the start is never interrupted."""
        if self._stop_signals:
            raise _StopRequestedError
        time.sleep(seconds)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self._stop_signals += 1
        if self._stop_signals > 1 and self._stack is not None:
            self._stack.supervisor.kill_immediately = True


class _StopRequestedError(Exception):
    """A signal requested the stop."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start the system; Ctrl-C stops it")
    run.add_argument("--port", type=_port, default=8080, help="port of 127.0.0.1 (8080)")
    run.add_argument(
        "--validation",
        choices=("strict", "format"),
        default="strict",
        help="validation of CPFs and states (strict)",
    )
    run.add_argument(
        "--metrics",
        action="store_true",
        help="serve metrics; metrics.json in the data folder lists their addresses",
    )
    memory = commands.add_parser("memory", help="print the memory usage of a running system")
    for command in (run, memory):
        command.add_argument(
            "--data",
            type=folder_option("DATA"),
            default=Path(".cadastro"),
            help="data folder (.cadastro)",
        )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_PORT:
        raise argparse.ArgumentTypeError(
            f"PORT must be a number from 1 to {MAX_PORT}, and is {text!r}"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
