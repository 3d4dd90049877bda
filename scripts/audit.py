"""Search the tree for secrets and the locks for vulnerabilities, and write SBOMs.

The programs run in an isolated environment below .venv, made from requirements/audit.lock.
"""

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
HOME = ROOT / ".venv" / "audit"
ALLOWLIST = Path(__file__).with_name("secrets_allowlist.toml")
SHIPPED = ("backup", "load", "robot", "services", "synthetic")  # the locks of the images
DISABLED_DETECTOR = "KeywordDetector"  # it reports each mention of a password; ruff's S105 does not
EXCLUDED = r"\.lock$|\.png$|^scripts/secrets_allowlist\.toml$"  # hashes, and pictures


def main() -> int:
    """Run the chosen checks, print their findings, and return 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help=f"of: {' '.join(CHECKS)} (all of them)",
    )
    parser.add_argument("--folder", type=Path, default=ROOT, help="the tree to search")
    options = parser.parse_args()
    subprocess.run([sys.executable, BOOTSTRAP, HOME.name], check=True)
    unknown = [name for name in options.what if name not in CHECKS]
    if unknown:
        parser.error(f"there is no check {unknown[0]}: choose of {', '.join(CHECKS)}")
    found = [CHECKS[name](options.folder) for name in options.what or CHECKS]
    return 0 if all(found) else 1


def secrets(folder: Path) -> bool:
    """Return whether every suspected secret in the tree is on the allowlist."""
    options = ["--exclude-files", EXCLUDED, "--disable-plugin", DISABLED_DETECTOR]
    scan = ["detect-secrets", "scan", *options]
    results: dict[str, list[dict[str, Any]]] = json.loads(run([*scan, *files(folder)], folder))[
        "results"
    ]
    known = {
        (entry["file"], digest)
        for entry in tomllib.loads(ALLOWLIST.read_text())["allowed"]
        for digest in entry["hashes"]
    }
    found = [(path, each) for path, each_of in results.items() for each in each_of]
    seen = {(path, each["hashed_secret"]) for path, each in found}
    for path, each in found:
        if (path, each["hashed_secret"]) not in known:
            where = f"{path}:{each['line_number']}"
            print(f"secrets: {where} looks like a {each['type']} ({each['hashed_secret']})")
    stale = sorted(known - seen) if folder == ROOT else []
    for path, digest in stale:
        print(f"secrets: {path} no longer has {digest}: take it out of {ALLOWLIST.name}")
    return not stale and seen <= known


def vulnerabilities(_: Path) -> bool:
    """Return whether no shipped package has a known vulnerability."""
    passed = True
    for name in SHIPPED:
        lock = ROOT / "requirements" / f"{name}.lock"
        options = ["--require-hashes", "--disable-pip", "--no-deps", "--format", "json"]
        answer = run(["pip-audit", "--requirement", str(lock), *options], ROOT)
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"] if answer else []
        checked = [each for each in packages if "skip_reason" not in each]
        if not checked:
            print(f"advisories: {name}: NOT CHECKED, the advisory database is unreachable")
        for each in checked:
            for one in each["vulns"]:
                fixed = ", ".join(one["fix_versions"]) or "no version"
                print(
                    f"advisories: {each['name']} {each['version']}: {one['id']}, mended in {fixed}"
                )
                passed = False
    return passed


def sbom(folder: Path) -> bool:
    """Write a CycloneDX bill of materials for the lock of each image into reports/sbom."""
    target = folder / "reports" / "sbom"
    target.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        bill = target / f"{name}.cdx.json"
        lock = str(folder / "requirements" / f"{name}.lock")
        options = ["--output-reproducible", "--output-file", str(bill)]
        run(["cyclonedx-py", "requirements", lock, *options], folder)
        count = len(json.loads(bill.read_text())["components"])
        print(f"bills: {bill.relative_to(folder)} names {count} components")
    return True


CHECKS = {"secrets": secrets, "advisories": vulnerabilities, "bills": sbom}


def files(folder: Path) -> Iterable[str]:
    """Return the files of a tree; in a git repository those that git does not ignore."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        return [name for name in done.stdout.splitlines() if (folder / name).is_file()]
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def run(command: list[str], folder: Path) -> str:
    """Return the output of a program of the environment; discard its standard error."""
    done = subprocess.run(
        [str(HOME / "bin" / command[0]), *command[1:]],
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{HOME / 'bin'}:{os.environ['PATH']}"},
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
