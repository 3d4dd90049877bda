"""The peers' virtual environments, one each, made from their lock files when these change."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.progress import BenchError, say

BUILD = ROOT / "build" / "bench"


def python_of(lock: Path) -> Path:
    """Return the Python of an environment that holds what ``lock`` says; it is made if need be.

    Raises:
        BenchError: it cannot be made.

    """
    folder = BUILD / lock.parent.name
    stamp, python = folder / "stamp", folder / "bin" / "python"
    wanted = f"{sys.version_info[:3]} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say(f"installing what {lock.parent.name} needs (once)")
    uv = Path(sys.executable).with_name("uv")
    _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    install = [str(uv), "pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
    _run([*install, "--compile-bytecode", "-r", str(lock)])
    stamp.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"could not run {' '.join(command)}: {done.stderr.strip()[-500:]}"
        raise BenchError(message)
