"""Asks checkov about everything that the charts make: the umbrella and each example, and the load.

checkov has an environment of its own below .venv, made from requirements/checkov.lock.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from rendering import CHARTS, EXAMPLES, helms, text

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "scripts" / "bootstrap.py"
HOME = ROOT / ".venv" / "checkov"


def main() -> int:
    """Return checkov's verdict: 0, or 1 when a check failed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    subprocess.run([sys.executable, BOOTSTRAP, HOME.name], check=True)
    with tempfile.TemporaryDirectory(prefix="cadastro-checkov-") as folder:
        render_all(Path(folder))
        command = [str(HOME / "bin" / "python"), str(HOME / "bin" / "checkov")]
        options = ["--directory", folder, "--config-file", str(CHARTS / ".checkov.yaml")]
        return subprocess.run([*command, *options], check=False).returncode


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
