"""Virtual environments of the peers, created from their lock files and renewed on a change."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.progress import BenchmarkError, report

BUILD = ROOT / "build" / "bench"


def python_of(lock: Path) -> Path:
    """Return the Python of the environment of a lock file, and create the environment if needed.

    Raises:
        BenchmarkError: the installation failed.

    """
    folder = BUILD / lock.parent.name
    stamp, python = folder / "stamp", folder / "bin" / "python"
    fingerprint = f"{sys.version_info[:3]} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return python
    report(f"installing the packages of {lock.parent.name} (once)")
    uv = Path(sys.executable).with_name("uv")
    _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    install = [str(uv), "pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
    _run([*install, "--compile-bytecode", "-r", str(lock)])
    stamp.write_text(fingerprint)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
