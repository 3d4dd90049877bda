"""How many instructions one request takes, counted by valgrind's callgrind: no noise moves it."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from benchmarks.progress import BenchError, say
from benchmarks.testbed.testbed import Arena
from benchmarks.testbed.variants import OURS, VARIANTS

BASELINE = Path(__file__).with_name("instructions.json")
WIDEST_GROWTH = 0.05
FEW, MANY = 20, 120  # requests; the difference has no start and no end in it
ROWS = 1_000

_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


def count(operations: tuple[str, ...]) -> dict[str, int]:
    """Return the instructions of one request of each operation; raises ``BenchError``."""
    for program in ("valgrind", "callgrind_control"):
        if shutil.which(program) is None:
            raise BenchError("valgrind is needed: install your system's package of that name")
    with Arena() as arena, tempfile.TemporaryDirectory() as folder:
        for _ in arena.rows.fill(1, ROWS):
            pass
        with _Counted(arena, Path(folder)) as counted:
            return {operation: counted.instructions(operation) for operation in operations}


class _Counted:
    """Our application under callgrind."""

    def __init__(self, arena: Arena, folder: Path) -> None:
        self._folder = folder
        ours = next(variant for variant in VARIANTS if variant.name == OURS)
        settings = {**arena.settings(OURS), "THREADS": "1"}
        environ = {
            **os.environ,
            **ours.environ(arena.ports[OURS], settings),
            "TOKEN": arena.token,
            "ROWS": str(ROWS),
            "PYTHONHASHSEED": "0",
        }
        tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"]
        out = f"--callgrind-out-file={folder / 'out'}"
        self._command = [*tool, out, sys.executable, "-m", "benchmarks.drive.in_process"]
        self._environ: Mapping[str, str] = environ
        self._dumps = 0

    def __enter__(self) -> Self:
        say("starting under callgrind; that takes a while")
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environ,
        )
        self._expect("ready")
        self._control("-i", "on")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def instructions(self, operation: str) -> int:
        """Return what one request takes."""
        say(f"counting {operation}")
        self._run(operation, FEW)  # nothing is done for the first time any more
        few, many = self._counted(operation, FEW), self._counted(operation, MANY)
        return round((many - few) / (MANY - FEW))

    def _counted(self, operation: str, requests: int) -> int:
        self._control("-z")
        self._run(operation, requests)
        self._control("-d")
        self._dumps += 1
        newest = max(self._folder.glob("out.*"), key=lambda path: path.stat().st_mtime_ns)
        totals = _TOTALS.findall(newest.read_text())
        if not totals:
            raise BenchError("callgrind left no totals")
        return int(totals[-1])

    def _run(self, operation: str, requests: int) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.write(f"{operation} {requests}\n")
        self._process.stdin.flush()
        self._expect("done")

    def _expect(self, word: str) -> None:
        stream: IO[str] | None = self._process.stderr
        assert stream is not None  # noqa: S101 - a pipe
        said: list[str] = []
        for line in stream:
            if line.strip() == word:
                return
            said.append(line)
        message = f"our application ended under callgrind: {''.join(said)[-800:]}"
        raise BenchError(message)

    def _control(self, *options: str) -> None:
        command = ["callgrind_control", *options, str(self._process.pid)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            message = f"callgrind_control failed: {done.stdout}{done.stderr}"
            raise BenchError(message)


def judge(found: Mapping[str, int]) -> tuple[list[str], bool]:
    """Return lines that compare with the figures of the last landing, and whether all is well."""
    version = platform.python_version()
    known = json.loads(BASELINE.read_text())
    if known["python"] != version:
        say(f"the figures of the last landing are for Python {known['python']}: none to compare")
        return [f"{name:8}{value:12,}" for name, value in found.items()], True
    lines, well = [], True
    for name, value in found.items():
        before = known["instructions"][name]
        growth = value / before - 1
        grown = growth > WIDEST_GROWTH
        well &= not grown
        verdict = f"  more than {WIDEST_GROWTH:.0%} more" if grown else ""
        lines.append(f"{name:8}{value:12,}  {growth:+7.2%} since the last landing{verdict}")
    return lines, well


def keep(found: Mapping[str, int]) -> None:
    """Make these the figures of the last landing."""
    known = {"python": platform.python_version(), "instructions": dict(found)}
    BASELINE.write_text(json.dumps(known, indent=2) + "\n")
