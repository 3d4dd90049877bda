"""Run every check of the project: the tests on all cores, and the linters in their idle time."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CONTRACT_COVERAGE = "CADASTRO_LEDGER"  # the suites write the statuses that they see there
LOGS = "CADASTRO_TEST_LOGS"
CHANGED_CHARTS = "CADASTRO_CHANGED_CHARTS"  # the tests of charts leave the cases of others out


@dataclass(frozen=True)
class Check:
    """One command that must end with 0."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The outcome of a check."""

    name: str
    passed: bool
    seconds: float


TYPED = (
    *("openapi", "scripts", "services", "synthetic", "robot", "load", "charts"),
    *("tests", "benchmarks"),
)

NESTED = ("services", "tests")  # folders of several packages
SHARED_BY_CHARTS = ("examples", "service-lib", "tests")  # folders in charts
CORES = os.cpu_count() or 1
WORKERS = CORES + 1  # a test waits for other processes, and for time to pass
QUICK = "not long"  # the long tests are those of `make test-long`
PYTEST = ("pytest", "-q", "-n", str(WORKERS), "--dist", "worksteal")

SCHEMA = ("check-jsonschema", "--quiet", "--builtin-schema")


def yaml_files(folder: str) -> list[str]:
    """Return the paths of the YAML files in a folder."""
    return [str(path) for path in sorted((ROOT / folder).glob("*.yml"))]


FAST_LINTERS = (
    Check("ruff", ("ruff", "check", "--quiet", ".")),
    Check("format", ("ruff", "format", "--check", "--quiet", ".")),
    Check("types", ("mypy", *(name for name in TYPED if any((ROOT / name).rglob("*.py"))))),
    Check("imports", ("lint-imports",)),
)
LINTERS = (
    *FAST_LINTERS,
    Check("scenarios", ("robocop", "check", "--no-cache", "robot")),
    Check("dockerfiles", ("hadolint", *map(str, sorted(ROOT.glob("*/Dockerfile"))))),
    Check("chart docs", ("python", "-m", "scripts.charts.chart_docs", "--check")),
    Check("secrets", ("python", "scripts/audit.py", "secrets")),
    Check("checkov", ("python", "-m", "scripts.charts.charts_security")),
    Check("workflows", (*SCHEMA, "vendor.github-workflows", *yaml_files(".github/workflows"))),
    Check("dependabot", (*SCHEMA, "vendor.dependabot", ".github/dependabot.yml")),
    Check(
        "issue forms", (*SCHEMA, "vendor.github-issue-forms", *yaml_files(".github/ISSUE_TEMPLATE"))
    ),
)


def main() -> int:
    """Run the checks, print a table, and return 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("lint", "tests", "long"), help="only these")
    parser.add_argument(
        "--changed-since",
        metavar="COMMIT",
        help="only the fast linters, and the tests of the packages that changed since a commit",
    )
    options = parser.parse_args()
    since, only = options.changed_since, options.only
    linters = FAST_LINTERS if since else LINTERS if only in {None, "lint"} else ()
    with ThreadPoolExecutor(CORES) as pool:
        linted = pool.map(run, linters)
        tested = [] if only == "lint" else tests_of(only, since)
    results = [*linted, *tested]
    print("\n".join(["", *map(row, results)]))
    return 0 if all(result.passed for result in results) else 1


def tests_of(only: str | None, since: str | None) -> list[Result]:
    """Run the long tests, those of the packages that changed, or all others."""
    if only == "long":
        return [run(Check("tests", (*PYTEST, "-m", "long")), quiet=False)]
    return changed_tests(since) if since else tests()


def changed_tests(since: str) -> list[Result]:
    """Run the tests of the packages that changed, except those marked slow or long."""
    files = changed_files(since)
    packages = changed_packages(files)
    if not packages:
        print(f"checks: no package changed since {since}", file=sys.stderr)
        return []
    print(f"checks: changed since {since}: {', '.join(packages)}", file=sys.stderr)
    os.environ[CHANGED_CHARTS] = " ".join(changed_charts(files))
    return [run(Check("tests", (*PYTEST, "-m", f"not slow and {QUICK}", *packages)), quiet=False)]


def changed_files(since: str) -> list[Path]:
    """Return the changed files; uncommitted and untracked ones count as changed.

    Raises:
        SystemExit: git does not know the commit.

    """
    commands = (
        ("git", "diff", "--name-only", "--merge-base", since),
        ("git", "ls-files", "--others", "--exclude-standard"),
    )
    names = []
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"checks: --changed-since {since}: {done.stderr.strip()}")
        names += done.stdout.splitlines()
    return [Path(name) for name in names]


def changed_packages(files: list[Path]) -> list[str]:
    """Return the folders of the changed packages that have tests, such as ``services/auth``."""
    parts = [file.parts for file in files]
    folders = {Path(*part[: 2 if part[0] in NESTED else 1]) for part in parts if len(part) > 1}
    return sorted(str(folder) for folder in folders if any((ROOT / folder).rglob("test_*.py")))


def changed_charts(files: list[Path]) -> list[str]:
    """Return the changed charts; none if something changed that all of them share."""
    names = {name for file in files if file.parts[0] == "charts" for name in file.parts[1:2]}
    return sorted(names) if names.isdisjoint(SHARED_BY_CHARTS) else []


def tests() -> list[Result]:
    """Run the tests under coverage, then check the code and contract coverage and the logs."""
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    seen = tempfile.mkdtemp(prefix="cadastro-contract-coverage-")
    logs = tempfile.mkdtemp(prefix="cadastro-logs-")
    os.environ |= {CONTRACT_COVERAGE: seen, LOGS: logs}
    try:
        return [
            run(Check("tests", (*PYTEST, "-m", QUICK, "--cov", "--cov-report=")), quiet=False),
            run(Check("coverage", ("coverage", "report", "--fail-under=90")), quiet=False),
            run(Check("contracts", ("python", "scripts/contract_coverage.py", seen)), quiet=False),
            run(Check("log leaks", ("python", "scripts/log_leaks.py", logs)), quiet=False),
        ]
    finally:
        shutil.rmtree(seen)
        shutil.rmtree(logs)


def run(check: Check, *, quiet: bool = True) -> Result:
    """Run one check; a quiet one yields to the others, and shows its output only when it fails."""
    started = time.monotonic()
    print(f"checks: {check.name} ...", file=sys.stderr, flush=True)
    command = [str(BIN / check.command[0]), *check.command[1:]]
    if quiet:
        command = ["nice", *command]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=quiet, text=True)
    if quiet and done.returncode:
        print(f"--- {check.name}\n{done.stdout}{done.stderr}", flush=True)
    return Result(check.name, done.returncode == 0, time.monotonic() - started)


def row(result: Result) -> str:
    """Return a result as a line of the table."""
    return f"{'ok' if result.passed else 'FAILED':8}{result.name:12}{result.seconds:6.1f} s"


if __name__ == "__main__":
    sys.exit(main())
