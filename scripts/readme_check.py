"""Runs the README's commands on a fresh clone, as a newcomer does, and tells which do not work.

What needs a cluster, or minutes of a quiet machine, is named with the command that tries it.
Names of machines and folders are replaced by those of the trial; nothing else is changed.
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
from pathlib import Path

from scripts import readme_commands
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
README_URL = "http://127.0.0.1:8080"
READY_WITHIN, STOP_WITHIN, LONGEST = 300.0, 15.0, 240.0  # seconds
MARK = "--- next ---"
LOAD = "make load SHAPE=smoke RATE=2 DURATION=5"  # the shortest that the page tells of
KEPT = ('curl -s $URL/products/fetch/3 -H "$AUTH" | cut -c1-26', '{"id":3,"name":"Monitor 3"')
ELSEWHERE = {  # how a command begins: who tries it, and why not this
    "make test": "takes minutes: .ci/run runs it",
    "make chaos": "takes minutes: .ci/run runs rounds of it",
    "make bench-telemetry": "measures for minutes, on a machine at rest",
    "make images": "needs a builder of images: make e2e installs what it builds",
    "kubectl": "needs a cluster: make e2e",
    "helm": "needs a cluster: make e2e",
}


class MissError(Exception):
    """A command did not do what the page says; the message shows what it did."""


@dataclass
class Row:
    """A command of the page, and what came of it."""

    command: str
    verdict: str
    seconds: float = 0.0


class Trial:
    """A clone, its commands in the order of the page, and a row for each."""

    def __init__(self, clone: Path, port: int) -> None:
        """Try in ``clone``, with the system on ``port``."""
        self.rows: list[Row] = []
        self._clone = clone
        self._url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = clone.parent / "run.log"
        self._backup = ""

    def whole(self) -> None:
        """Try every command of the page."""
        page = (self._clone / "README.md").read_text()
        answered, left = readme_commands.answered(page), readme_commands.named(page)
        again = [step for step in answered if step[0].partition("=")[0].isupper()]  # logs in
        while_it_runs = ("make probe", ".venv/bin/synthetic", "make backup")
        first = left.pop(left.index("make run"))
        with self._running(first):
            self._attempt("the console blocks", lambda: self._answers(answered))
            for command in [c for c in left if c.startswith(while_it_runs)]:
                self._attempt(command, lambda c=command: self._works(c))  # type: ignore[misc] # the loop's own
                left.remove(command)
            self._attempt(LOAD, lambda: self._works(f"{LOAD} URL={README_URL}", "threshold"))
        for command in [c for c in left if c.startswith("make restore")]:
            self._attempt(command, lambda c=command: self._works(c))  # type: ignore[misc] # as above
            left.remove(command)
        for command in [c for c in left if c.startswith("make run ")]:
            with self._running(command):
                self._attempt("the data is kept", lambda: self._answers([*again, KEPT]))
            left.remove(command)
        for command in left:
            why = next((w for start, w in ELSEWHERE.items() if command.startswith(start)), None)
            self.rows.append(Row(command, why or "MISSED: nobody says how to try it"))

    def _attempt(self, command: str, work: Callable[[], None]) -> None:
        print(f"readme_check: {command}", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            work()
            verdict = "works"
        except MissError as error:
            verdict = f"MISSED: {error}"
        self.rows.append(Row(command, verdict, time.monotonic() - started))

    def _fitted(self, command: str) -> str:
        """Return a command with the names of this trial in place of the page's."""
        places = {
            README_URL: self._url,
            "https://shop.example.com": self._url,
            "FOLDER": ".cadastro/secrets/monitor",
            "backups/20260101T120000.000000Z": self._backup,
            "make probe": f"make probe URL={self._url}",
        }
        for name, here in places.items():
            command = command.replace(name, here)
        return command

    def _works(self, command: str, excused: str = "") -> None:
        """Run a command; it must end with 0, or tell of what is ``excused`` on a busy machine."""
        done = self._shell(self._fitted(command))
        if done.returncode and not (excused and excused in done.stdout):
            raise MissError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
        if command == "make backup":
            self._backup = done.stdout.strip().splitlines()[-1]

    def _answers(self, wanted: list[tuple[str, str]]) -> None:
        """Run commands in one shell, and compare what they print."""
        script = f"\necho; echo '{MARK}'\n".join(self._fitted(command) for command, _ in wanted)
        printed = [part.strip() for part in self._shell(script).stdout.split(MARK)]
        for (command, expected), got in zip(wanted, printed, strict=False):
            if got != expected:
                raise MissError(f"{command} printed {got!r}, not {expected!r}")
        if len(printed) != len(wanted):
            raise MissError(f"{len(printed)} of {len(wanted)} commands were run")

    def _shell(self, script: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", script]
        return subprocess.run(
            command, cwd=self._clone, capture_output=True, text=True, check=False, timeout=LONGEST
        )

    @contextmanager
    def _running(self, command: str) -> Iterator[None]:
        """Run the system for as long; Ctrl-C must end it, and nothing of it may be left."""
        process: list[subprocess.Popen[bytes]] = []
        self._attempt(command, lambda: process.append(self._start(command)))
        if not process:
            raise MissError(f"without {command} there is nothing to try")
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
        deadline = time.monotonic() + READY_WITHIN
        while f"Cadastro is ready: {self._url}" not in self._log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
                raise MissError(f"it did not get ready: {self._log.read_text()[-600:]}")
            time.sleep(0.2)
        return process

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            raise MissError(f"it still runs {STOP_WITHIN:.0f} s later") from None
        left = [path.parent.name for path in Path("/proc").glob("[0-9]*/cwd") if self._ours(path)]
        if left:
            raise MissError(f"processes are left: {', '.join(left)}")

    def _ours(self, link: Path) -> bool:
        """Tell whether a process stands in the clone, or was started out of it."""
        try:
            standing = link.readlink()
            words = (link.parent / "cmdline").read_bytes()
        except OSError:
            return False  # it has ended, or is another user's
        return standing.is_relative_to(self._clone) or str(self._clone).encode() in words


def main() -> int:
    """Clone, try, print a row for each command, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="what is cloned")
    parser.add_argument("--port", type=int, default=8080, help="(8080, as the page has it; 0: any)")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="readme-"))
    work.chmod(0o711)  # PostgreSQL runs as an account of its own when we are root
    trial = Trial(work / "cadastro", options.port or free_port())
    try:
        clone = ["git", "clone", "-q", str(options.checkout), str(work / "cadastro")]
        subprocess.run(clone, check=True)
        trial.whole()
    except MissError as error:
        print(f"readme_check: {error}", file=sys.stderr)
        trial.rows.append(Row("the rest of the page", "MISSED: it was not tried"))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for row in trial.rows:
        print(f"{row.seconds:6.1f} s  {row.command[:72]:74}{row.verdict}")
    return 1 if any(row.verdict.startswith("MISSED") for row in trial.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
