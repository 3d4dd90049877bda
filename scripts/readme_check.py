"""Runs the commands of the README and of docs/ in a fresh clone, and reports those that fail.

Commands that need a cluster, or an idle machine for minutes, are listed with the command that
tests them. Hosts and folders are replaced by those of the run; nothing else is changed.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts import readme_commands
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
README_URL = "http://127.0.0.1:8080"
START_TIMEOUT, STOP_TIMEOUT, COMMAND_TIMEOUT = 300.0, 15.0, 240.0  # seconds
SEPARATOR = "--- next ---"
PERSISTED = ('curl -s $URL/products/fetch/3 -H "$AUTH" | cut -c1-26', '{"id":3,"name":"Monitor 3"')
WHILE_RUNNING = ("make probe", ".venv/bin/synthetic", "make load", "make backup")
EXCUSES = {"make load": "threshold"}  # a busy machine may miss a threshold
NOT_RUN = {  # prefix of a command: the reason, and the command that tests it
    "make test": "takes minutes: .ci/run runs it",
    "make chaos": "takes minutes: .ci/run runs rounds of it",
    "make bench": "takes minutes on an idle machine",
    "make images": "needs an image builder: make e2e installs the images",
    "kubectl": "needs a cluster: make e2e",
    "helm": "needs a cluster: make e2e",
}


class CommandFailed(Exception):
    """A command failed or printed something else; the message shows its output."""


@dataclass
class Row:
    """A command and its result."""

    command: str
    verdict: str
    seconds: float = 0.0


class ReadmeCheck:
    """Run of the commands in a clone, in the order of the pages, with a row for each."""

    def __init__(self, clone: Path, port: int) -> None:
        """Use the folder ``clone``, with the system on ``port``."""
        self.rows: list[Row] = []
        self._clone = clone
        self._url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = clone.parent / "run.log"
        self._backup = ""

    def run(self) -> None:
        """Run every command of the pages."""
        pages = readme_commands.read_pages(self._clone)
        console, left = readme_commands.with_output(pages), readme_commands.listed(pages)
        login = [step for step in console if step[0].partition("=")[0].isupper()]
        left.remove("make run")
        with self._running("make run"):
            self._attempt("the console blocks", lambda: self._check_output(console))
            self._run_all(left, WHILE_RUNNING)
        self._run_all(left, ("make restore",))
        for command in [c for c in left if c.startswith("make run ")]:
            with self._running(command):
                self._attempt("the data is kept", lambda: self._check_output([*login, PERSISTED]))
            left.remove(command)
        for command in left:
            why = next((w for start, w in NOT_RUN.items() if command.startswith(start)), None)
            self.rows.append(Row(command, why or "FAILED: no rule for this command"))

    def _run_all(self, left: list[str], prefixes: tuple[str, ...]) -> None:
        """Run the commands with one of the prefixes, and remove them from the list."""
        for command in [c for c in left if c.startswith(prefixes)]:
            self._attempt(command, partial(self._run_command, command))
            left.remove(command)

    def _attempt(self, command: str, work: Callable[[], None]) -> None:
        print(f"readme_check: {command}", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            work()
            verdict = "works"
        except CommandFailed as error:
            verdict = f"FAILED: {error}"
        self.rows.append(Row(command, verdict, time.monotonic() - started))

    def _adapted(self, command: str) -> str:
        """Return a command with this run's URL and folders."""
        replacements = {
            README_URL: self._url,
            "https://shop.example.com": self._url,
            "FOLDER": ".cadastro/secrets/monitor",
            "backups/20260101T120000.000000Z": self._backup,
            "make probe": f"make probe URL={self._url}",
            "make load": f"make load URL={self._url}",
        }
        for name, value in replacements.items():
            command = command.replace(name, value)
        return command

    def _run_command(self, command: str) -> None:
        """Run a command; it must exit with 0 or print its excuse."""
        done = self._shell(self._adapted(command))
        excuse = next((text for start, text in EXCUSES.items() if command.startswith(start)), None)
        if done.returncode and not (excuse and excuse in done.stdout):
            raise CommandFailed(
                f"exit code {done.returncode}: {(done.stdout + done.stderr)[-600:]}"
            )
        if command == "make backup":
            self._backup = done.stdout.strip().splitlines()[-1]

    def _check_output(self, wanted: list[tuple[str, str]]) -> None:
        """Run commands in one shell and compare their output."""
        script = f"\necho; echo '{SEPARATOR}'\n".join(
            self._adapted(command) for command, _ in wanted
        )
        printed = [part.strip() for part in self._shell(script).stdout.split(SEPARATOR)]
        for (command, expected), got in zip(wanted, printed, strict=False):
            if got != expected:
                raise CommandFailed(f"{command} printed {got!r}, not {expected!r}")
        if len(printed) != len(wanted):
            raise CommandFailed(f"{len(printed)} of {len(wanted)} commands were run")

    def _shell(self, script: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", script]
        return subprocess.run(
            command,
            cwd=self._clone,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT,
        )

    @contextmanager
    def _running(self, command: str) -> Iterator[None]:
        """Run the system meanwhile; Ctrl-C must then end all of its processes."""
        process: list[subprocess.Popen[bytes]] = []
        self._attempt(command, lambda: process.append(self._start(command)))
        if not process:
            raise CommandFailed(f"{command} did not start the system")
        try:
            yield
            self._attempt("Ctrl-C", lambda: self._stop(process[0]))
        finally:
            if process[0].poll() is None:
                os.killpg(process[0].pid, signal.SIGTERM)
                process[0].wait()

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        words = [*command.split(), *([f"PORT={self._port}"] if self._url != README_URL else [])]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                words, cwd=self._clone, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_TIMEOUT
        while f"Cadastro is ready: {self._url}" not in self._log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
                raise CommandFailed(
                    f"the system was not ready in time: {self._log.read_text()[-600:]}"
                )
            time.sleep(0.2)
        return process

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"the system still runs after {STOP_TIMEOUT:.0f} s") from None
        left = [
            path.parent.name for path in Path("/proc").glob("[0-9]*/cwd") if self._belongs(path)
        ]
        if left:
            raise CommandFailed(f"processes remain: {', '.join(left)}")

    def _belongs(self, link: Path) -> bool:
        """Return whether a process works in the clone or was started from it."""
        try:
            folder = link.readlink()
            words = (link.parent / "cmdline").read_bytes()
        except OSError:
            return False  # it has ended, or belongs to another user
        return folder.is_relative_to(self._clone) or str(self._clone).encode() in words


def main() -> int:
    """Clone, run the commands, print a row for each, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="repository to clone")
    parser.add_argument(
        "--port", type=int, default=8080, help="port of the system (8080, as in the README; 0: any)"
    )
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="readme-"))
    work.chmod(0o711)  # PostgreSQL runs as another user when this program runs as root
    check = ReadmeCheck(work / "cadastro", options.port or free_port())
    try:
        clone = ["git", "clone", "-q", str(options.checkout), str(work / "cadastro")]
        subprocess.run(clone, check=True)
        check.run()
    except CommandFailed as error:
        print(f"readme_check: {error}", file=sys.stderr)
        check.rows.append(Row("the other commands", "FAILED: not run"))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for row in check.rows:
        print(f"{row.seconds:6.1f} s  {row.command[:72]:74}{row.verdict}")
    return 1 if any(row.verdict.startswith("FAILED") for row in check.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
