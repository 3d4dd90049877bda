"""A whole local system, started by the command that a user runs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy

import httpx
import psutil

from devstack.pytest_postgres import LOGS_VARIABLE
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
ISOLATED = ("-I", "-X", "utf8")  # Python's options in the Makefile
START_TIMEOUT = 120.0  # seconds; a start takes about eight on an idle machine
EXIT_TIMEOUT = 10.0  # seconds


class System:
    """A process `python -m devstack run` with a data folder and a port."""

    def __init__(self, data: Path, port: int | None = None, *options: str) -> None:
        """Start the process without waiting for it."""
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder = next(folder for folder in data.parents if folder.is_dir())
        self._output = folder / f"output-{time.monotonic_ns()}.txt"
        command = [*ISOLATED, "-m", "devstack", "run"]
        command += ["--port", str(self.port), "--data", str(data)]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command, *options],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """The output of the process so far."""
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        """Wait until the process reports that the system is ready."""
        deadline = time.monotonic() + START_TIMEOUT
        while f"Cadastro is ready: {self.url}" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def parts(self) -> list[psutil.Process]:
        """Return the process and all its descendants."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def part(self, *words: str) -> psutil.Process:
        """Return the first process with all of these words in its command line."""
        return next(p for p in self.parts() if all(w in " ".join(p.cmdline()) for w in words))

    def wait(self) -> int:
        """Wait for the process to exit, and return its exit code."""
        return self.process.wait(START_TIMEOUT)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, check that no process is left, and return the exit code."""
        parts = self.parts()
        self.process.send_signal(number)
        code = self.wait()
        assert_exited(parts)
        return code


@contextmanager
def running(data: Path, port: int | None = None, *options: str) -> Iterator[System]:
    """Run a system until the block ends; it is ready when the block starts."""
    system = System(data, port, *options)
    try:
        system.wait_until_ready()
        yield system
    finally:
        if system.process.poll() is None:
            system.stop(signal.SIGTERM)
        keep_logs(data / "logs")


def keep_logs(folder: Path) -> None:
    """Copy the logs of a system to the folder that scripts/log_leaks.py searches."""
    if LOGS_VARIABLE in os.environ:
        for path in folder.glob("*.log"):
            copy(path, Path(os.environ[LOGS_VARIABLE]) / f"{time.monotonic_ns()}-{path.name}")


def assert_exited(processes: list[psutil.Process]) -> None:
    """Check that processes have exited."""
    _, left = psutil.wait_procs(processes, timeout=EXIT_TIMEOUT)
    assert not left, [process.cmdline() for process in left]


def command(module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the environment until it exits."""
    return subprocess.run(
        [sys.executable, "-m", module, *options], capture_output=True, text=True, check=False
    )


def refused(data: Path, port: int | None = None, *options: str) -> str:
    """Start a system that must fail at its start, and return the last line of its output."""
    system = System(data, port, *options)
    assert system.wait() != 0
    sentence = system.output.strip().splitlines()[-1]
    assert "Traceback" not in system.output, system.output
    return sentence


def pasted_lines(system: System) -> str:
    """Return the commands that the welcome text shows, as one script."""
    block = re.search(r"Paste these:\n(.*)\nCtrl-C stops", system.output, re.DOTALL)
    assert block is not None, system.output
    return block[1]


def shell(script: str) -> str:
    """Run a script in bash, and return its output."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the user's shell
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def is_healthy(url: str) -> bool:
    """Return whether the clients service is healthy."""
    try:
        return httpx.get(f"{url}/clients/health", timeout=2).is_success
    except httpx.TransportError:
        return False
