"""Asks checkov about everything that the charts make: the umbrella and each example, and the load.

checkov has an environment of its own below .venv, made from requirements/checkov.lock.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rendering import CHARTS, EXAMPLES, helms, text

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "checkov.lock"
HOME = ROOT / ".venv" / "checkov"
UV = Path(sys.executable).with_name("uv")


def main() -> int:
    """Return checkov's verdict: 0, or 1 when a check failed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    make_environment()
    with tempfile.TemporaryDirectory(prefix="cadastro-checkov-") as folder:
        render_all(Path(folder))
        command = [str(HOME / "bin" / "python"), str(HOME / "bin" / "checkov")]
        options = ["--directory", folder, "--config-file", str(CHARTS / ".checkov.yaml")]
        return subprocess.run([*command, *options], check=False).returncode


def make_environment() -> None:
    """Install checkov as the lock has it, unless it is there."""
    stamp = HOME / "lock"
    if stamp.is_file() and stamp.read_bytes() == LOCK.read_bytes():
        return
    shutil.rmtree(HOME, ignore_errors=True)
    subprocess.run([UV, "venv", "--quiet", HOME], check=True)
    target = ["--python", str(HOME / "bin" / "python")]
    install = [str(UV), "pip", "install", "--quiet", "--require-hashes", *target, "-r", str(LOCK)]
    subprocess.run(install, check=True)
    shutil.copy(LOCK, stamp)


def render_all(folder: Path) -> None:
    """Write what the charts make to stay, one file for each way to install them."""
    helm = helms(folder)[0]
    ways: dict[str, tuple[str, ...]] = {
        file.stem: ("cadastro", "--values", str(file)) for file in EXAMPLES
    }
    ways["default"] = ("cadastro",)
    ways["load"] = ("load", "--set", "url=http://cadastro.example.com")
    for name, options in ways.items():
        (folder / f"{name}.yaml").write_text(text(helm, *options, "--skip-tests"))


if __name__ == "__main__":
    sys.exit(main())
