"""Update the lock files from their `.in` files: versions and hashes, without index addresses."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
BENCHMARKS = ROOT / "benchmarks"  # its peers and its profiler have separate environments
UV = Path(sys.executable).with_name("uv")
ISOLATED = {"audit", "checkov", "uv"}  # isolated environments
OPTIONS = [
    "--quiet",
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--upgrade",
]


def main() -> None:
    """Lock the widest set first; the others then take the same versions."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    compile_lock("dev")
    for path in sorted(REQUIREMENTS.glob("*.in")):
        if path.stem.endswith("-nodeps"):
            compile_lock(path.stem, "--no-deps")
        elif path.stem in ISOLATED:
            compile_lock(path.stem)
        elif path.stem != "dev":
            compile_lock(path.stem, "--constraint", "dev.lock")
    for path in sorted(BENCHMARKS.glob("**/requirements.in")):
        widest = os.path.relpath(REQUIREMENTS / "dev.lock", path.parent)  # the lock file quotes it
        compile_lock(path.stem, "--constraint", widest, folder=path.parent)


def compile_lock(name: str, *options: str, folder: Path = REQUIREMENTS) -> None:
    """Lock one file of a folder."""
    print(f"lock: {(folder / name).relative_to(ROOT)}", file=sys.stderr)
    names = [f"{name}.in", "--output-file", f"{name}.lock"]
    command = [str(UV), "pip", "compile", *OPTIONS, "--python-version", "3.11", *options, *names]
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main()
