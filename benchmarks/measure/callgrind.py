"""The clients service in one process under valgrind's callgrind."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from benchmarks.progress import BenchmarkError, report
from benchmarks.testbed.testbed import Testbed
from benchmarks.testbed.variants import CADASTRO, OURS

FEW, MANY = 20, 120  # requests; the difference excludes start and end
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


def require_valgrind() -> None:
    """Raise ``BenchmarkError`` where valgrind is not installed."""
    for program in ("valgrind", "callgrind_control"):
        if shutil.which(program) is None:
            raise BenchmarkError("valgrind is needed: install your system's package of that name")


class CallgrindSession:
    """A context manager that runs the service, and counts instructions."""

    def __init__(self, testbed: Testbed, folder: Path, rows: int) -> None:
        """Use a testbed with ``rows`` rows; write callgrind's files to ``folder``."""
        self._folder = folder
        settings = {**testbed.settings(OURS), "THREADS": "1"}
        self._environ: Mapping[str, str] = {
            **os.environ,
            **CADASTRO.environ(testbed.servers.ports[OURS], settings),
            "TOKEN": testbed.token,
            "ROWS": str(rows),
            "PYTHONHASHSEED": "0",
        }

    def __enter__(self) -> Self:
        """Start the service, and wait until it is ready."""
        report("starting under callgrind, which takes a minute")
        tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"]
        output = f"--callgrind-out-file={self._folder / 'out'}"
        self._process = subprocess.Popen(
            [*tool, output, sys.executable, "-m", "benchmarks.drive.in_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environ,
        )
        self._wait_for("ready")
        self._control("-i", "on")
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the service."""
        self._process.kill()
        self._process.communicate()

    def instructions(self, operation: str) -> int:
        """Return the instructions of one request."""
        report(f"counting {operation}")
        self._request(operation, FEW)  # fills the caches
        few, many = self._count(operation, FEW), self._count(operation, MANY)
        return round((many - few) / (MANY - FEW))

    def _count(self, operation: str, requests: int) -> int:
        self._control("-z")
        self._request(operation, requests)
        self._control("-d")
        newest = max(self._folder.glob("out.*"), key=lambda path: path.stat().st_mtime_ns)
        totals = _TOTALS.findall(newest.read_text())
        if not totals:
            raise BenchmarkError("callgrind wrote no totals")
        return int(totals[-1])

    def _request(self, operation: str, requests: int) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.write(f"{operation} {requests}\n")
        self._process.stdin.flush()
        self._wait_for("done")

    def _wait_for(self, word: str) -> None:
        stream: IO[str] | None = self._process.stderr
        assert stream is not None  # noqa: S101 - a pipe
        output: list[str] = []
        for line in stream:
            if line.strip() == word:
                return
            output.append(line)
        raise BenchmarkError(f"the service ended under callgrind: {''.join(output)[-800:]}")

    def _control(self, *options: str) -> None:
        command = ["callgrind_control", *options, str(self._process.pid)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise BenchmarkError(f"callgrind_control failed: {done.stdout}{done.stderr}")
