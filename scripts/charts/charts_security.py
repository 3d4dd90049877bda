"""Scan of the rendered charts with checkov: the umbrella chart, each example, and the load chart.

checkov has a separate environment below .venv, created from requirements/checkov.lock.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.charts.rendering import CHARTS, EXAMPLES, find_helms, render_text

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "scripts" / "bootstrap.py"
CHECKOV_DIR = ROOT / ".venv" / "checkov"


def main() -> int:
    """Return checkov's exit code: 0, or 1 if a check failed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    subprocess.run([sys.executable, BOOTSTRAP, CHECKOV_DIR.name], check=True)
    with tempfile.TemporaryDirectory(prefix="cadastro-checkov-") as folder:
        render_all(Path(folder))
        command = [str(CHECKOV_DIR / "bin" / "python"), str(CHECKOV_DIR / "bin" / "checkov")]
        options = ["--directory", folder, "--config-file", str(CHARTS / ".checkov.yaml")]
        return subprocess.run([*command, *options], check=False).returncode


def render_all(folder: Path) -> None:
    """Write the rendered manifests, one file for each set of values, without the test pod."""
    helm = find_helms(folder)[0]
    variants: dict[str, tuple[str, ...]] = {
        file.stem: ("cadastro", "--values", str(file)) for file in EXAMPLES
    }
    variants["default"] = ("cadastro",)
    variants["load"] = ("load", "--set", "url=http://cadastro.example.com")
    for name, options in variants.items():
        (folder / f"{name}.yaml").write_text(render_text(helm, *options, "--skip-tests"))


if __name__ == "__main__":
    sys.exit(main())
