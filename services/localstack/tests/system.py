"""A whole system, started as a user starts it."""

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

from localstack.pytest_postgres import LOGS
from localstack.stack import free_ports

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0  # seconds; a start takes some eight on a quiet machine
GONE_WITHIN = 10.0  # seconds


class System:
    """`python -m localstack run` on a data folder and a port."""

    def __init__(self, data: Path, port: int | None = None, *options: str) -> None:
        """Start it; nothing is awaited."""
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder = next(folder for folder in data.parents if folder.is_dir())
        self._output = folder / f"output-{time.monotonic_ns()}.txt"
        command = ["-m", "localstack", "run", "--port", str(self.port), "--data", str(data)]
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
        """What it has said."""
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        """Wait until it says that it is ready."""
        deadline = time.monotonic() + PATIENCE
        while f"Cadastro is ready: {self.url}" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def parts(self) -> list[psutil.Process]:
        """Return every process of it, itself included."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def part(self, *words: str) -> psutil.Process:
        """Return the first process whose command line has all of these words."""
        return next(p for p in self.parts() if all(w in " ".join(p.cmdline()) for w in words))

    def wait(self) -> int:
        """Wait until it has ended and return its exit code."""
        return self.process.wait(PATIENCE)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does, check that nothing of it is left, and return its exit code."""
        parts = self.parts()
        self.process.send_signal(number)
        code = self.wait()
        assert_gone(parts)
        return code


@contextmanager
def running(data: Path, port: int | None = None, *options: str) -> Iterator[System]:
    """Run a system that is ready, and end it in any case."""
    system = System(data, port, *options)
    try:
        system.wait_until_ready()
        yield system
    finally:
        if system.process.poll() is None:
            system.stop(signal.SIGTERM)
        keep_logs(data / "logs")


def keep_logs(folder: Path) -> None:
    """Copy what a system has logged to where all that a test run logs is looked through."""
    if LOGS in os.environ:
        for path in folder.glob("*.log"):
            copy(path, Path(os.environ[LOGS]) / f"{time.monotonic_ns()}-{path.name}")


def assert_gone(processes: list[psutil.Process]) -> None:
    """Check that processes have ended."""
    _, left = psutil.wait_procs(processes, timeout=GONE_WITHIN)
    assert not left, [process.cmdline() for process in left]


def command(module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *options], capture_output=True, text=True, check=False
    )


def refused(data: Path, port: int | None = None, *options: str) -> str:
    """Start a system that must not start, and return the one sentence that it ends with."""
    system = System(data, port, *options)
    assert system.wait() != 0
    sentence = system.output.strip().splitlines()[-1]
    assert "Traceback" not in system.output, system.output
    return sentence


def free_port() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)[0]


def pasted_lines(system: System) -> str:
    """Return the lines that it says to paste, as one script."""
    block = re.search(r"Paste these:\n(.*)\nCtrl-C stops", system.output, re.DOTALL)
    assert block is not None, system.output
    return block[1]


def shell(script: str) -> str:
    """Run a script as a user would paste it, and return what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the shell that a user has
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def is_healthy(url: str) -> bool:
    """Tell whether the clients service answers there."""
    try:
        return httpx.get(f"{url}/clients/health", timeout=2).is_success
    except httpx.TransportError:
        return False
