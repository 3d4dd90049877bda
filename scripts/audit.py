"""Looks for secrets in the tree and for known vulnerabilities, and writes bills of materials.

The programs have an environment of their own below .venv, made from requirements/audit.lock.
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
KNOWN = Path(__file__).with_name("not_secrets.toml")
SHIPPED = ("services", "synthetic")  # the locks of what goes into images
BILLS = ROOT / "reports" / "sbom"
LOUD = "KeywordDetector"  # each mention of a password is one to it; to ruff's S105 it is not
UNREAD = r"\.lock$|\.png$|^scripts/not_secrets\.toml$"  # hashes, and pictures


def main() -> int:
    """Run what is asked for, print how it went, and return 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help=f"of: {' '.join(CHECKS)} (all of them)",
    )
    parser.add_argument("--folder", type=Path, default=ROOT, help="the tree to look through")
    options = parser.parse_args()
    subprocess.run([sys.executable, BOOTSTRAP, HOME.name], check=True)
    unknown = [name for name in options.what if name not in CHECKS]
    if unknown:
        parser.error(f"there is no check {unknown[0]}: choose of {', '.join(CHECKS)}")
    found = [CHECKS[name](options.folder) for name in options.what or CHECKS]
    return 0 if all(found) else 1


def secrets(folder: Path) -> bool:
    """Tell whether nothing in the tree looks like a secret but for what is known to be none."""
    scan = ["detect-secrets", "scan", "--exclude-files", UNREAD, "--disable-plugin", LOUD]
    results: dict[str, list[dict[str, Any]]] = json.loads(run([*scan, *files(folder)], folder))[
        "results"
    ]
    known = {
        (entry["file"], digest)
        for entry in tomllib.loads(KNOWN.read_text())["is_none"]
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
        print(f"secrets: {path} no longer has {digest}: take it out of {KNOWN.name}")
    return not stale and seen <= known


def advisories(_: Path) -> bool:
    """Tell whether nothing that is shipped has a known vulnerability; say what nobody answers."""
    well = True
    for name in SHIPPED:
        lock = ROOT / "requirements" / f"{name}.lock"
        options = ["--require-hashes", "--disable-pip", "--no-deps", "--format", "json"]
        answer = run(["pip-audit", "--requirement", str(lock), *options], ROOT)
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"] if answer else []
        asked = [each for each in packages if "skip_reason" not in each]
        if not asked:
            print(f"advisories: {name}: NOT CHECKED, since nobody answers here who knows them")
        for each in asked:
            for one in each["vulns"]:
                fixed = ", ".join(one["fix_versions"]) or "no version"
                print(
                    f"advisories: {each['name']} {each['version']}: {one['id']}, mended in {fixed}"
                )
                well = False
    return well


def bills(_: Path) -> bool:
    """Write a CycloneDX bill of materials of each of the images' locks."""
    BILLS.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        target = BILLS / f"{name}.cdx.json"
        lock = str(ROOT / "requirements" / f"{name}.lock")
        run(["cyclonedx-py", "requirements", lock, "--output-file", str(target)], ROOT)
        count = len(json.loads(target.read_text())["components"])
        print(f"bills: {target.relative_to(ROOT)} names {count} components")
    return True


CHECKS = {"secrets": secrets, "advisories": advisories, "bills": bills}


def files(folder: Path) -> Iterable[str]:
    """Return the files of a tree, those that git knows where there is git."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        return [name for name in done.stdout.splitlines() if (folder / name).is_file()]
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def run(command: list[str], folder: Path) -> str:
    """Return what a program of the environment prints; what it complains of is shown."""
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
