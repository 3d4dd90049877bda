"""`python -m devstack`: the whole system on one machine."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from devstack import memory_usage, prefork
from devstack.banner import welcome
from devstack.data_folder import DataFolder, FolderError
from devstack.postgres import PostgresError
from devstack.stack import Stack, StackError, check_port
from devstack.supervisor import ChildDiedError

HIGHEST_PORT = 65_535
WATCH = 0.2  # seconds between two looks at the processes

EXPECTED = (ChildDiedError, FolderError, PostgresError, StackError)


def main() -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args()
    if options.command == "memory":
        return memory_usage.main(options.data)
    return _Run(options).main()


class _Run:
    """`run`: start, prove, wait, stop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._asked_to_stop = 0
        self._stack: Stack | None = None
        self._started = time.monotonic()

    def main(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        prefork.share()
        folder = DataFolder(self._options.data)
        failure: Exception | None = None
        try:
            check_port(self._options.port)
            folder.open()
            self._run(folder)
        except _StopError:
            pass
        except EXPECTED as error:
            failure = error
        finally:
            self._stop()
            folder.close()
        if failure is None:
            return 0
        sys.stderr.write(f"cadastro: {failure}\n")  # last, where it is seen
        return 1

    def _run(self, folder: DataFolder) -> NoReturn:
        options = self._options
        self._stack = Stack(
            folder,
            options.port,
            options.validation,
            metrics=options.metrics,
            say=self._say,
            pause=self._pause,
            launch=prefork.Forked,
        )
        self._stack.start()
        self._say("replaying the journeys")
        self._stack.prove()
        print(welcome(self._stack.url), flush=True)
        while True:
            self._pause(WATCH)
            self._stack.check()

    def _stop(self) -> None:
        if self._stack is not None:
            self._say("stopping")
            self._asked_to_stop = max(self._asked_to_stop, 1)  # the next Ctrl-C hurries
            self._stack.stop()
            self._say(f"stopped; the data is kept in {self._options.data}")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"cadastro: [{time.monotonic() - self._started:5.1f} s] {text}\n")
        sys.stderr.flush()

    def _pause(self, seconds: float) -> None:
        """Wait, or end the run: stops happen here alone, never in the middle of a start."""
        if self._asked_to_stop:
            raise _StopError
        time.sleep(seconds)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self._asked_to_stop += 1
        if self._asked_to_stop > 1 and self._stack is not None:
            self._stack.supervisor.hurry = True


class _StopError(Exception):
    """Somebody asked us to stop."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything; Ctrl-C stops it")
    run.add_argument("--port", type=_port, default=8080, help="the port of 127.0.0.1 (8080)")
    run.add_argument(
        "--validation",
        choices=("strict", "format"),
        default="strict",
        help="how documents are checked (strict)",
    )
    run.add_argument(
        "--metrics", action="store_true", help="metrics.json of the data folder says where they are"
    )
    used = commands.add_parser("memory", help="tell how much memory a run uses")
    for command in (run, used):
        command.add_argument(
            "--data", type=Path, default=Path(".cadastro"), help="the data folder (.cadastro)"
        )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        message = f"PORT must be a number from 1 to {HIGHEST_PORT}, and is {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
