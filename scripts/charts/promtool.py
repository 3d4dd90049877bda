"""Wrapper of promtool: checks and unit tests of rules, and checks of metrics."""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

CACHE_DIR = Path(__file__).resolve().parents[2] / "build" / "prometheus"
PROGRAMS = ("promtool", "prometheus")
DEBIAN_PACKAGE = "prometheus"  # unpacked, not installed
MISSING_MESSAGE = (
    "promtool is missing: add Prometheus to the PATH, or make Debian's package available to apt"
)


class PromtoolError(Exception):
    """Promtool is missing or failed; the message is its output."""


@functools.cache
def find_program(name: str = "promtool") -> str:
    """Return the path of a program of Prometheus, from the PATH or from Debian's package.

    Raises:
        PromtoolError: it is missing and cannot be downloaded; the message has the remedy.

    """
    on_path = shutil.which(name)
    if on_path is not None:
        return on_path
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    with (CACHE_DIR / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE_DIR / name).exists():
            _download(CACHE_DIR)
    return str(CACHE_DIR / name)


def is_required() -> bool:
    """Return true in CI, where a missing program fails a test instead of skipping it."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def check_rules(groups: dict[str, Any]) -> str:
    """Return the output of ``promtool check rules``; raises ``PromtoolError``."""
    with tempfile.TemporaryDirectory() as folder:
        return _run("check", "rules", "--lint=all", "--lint-fatal", _write_yaml(folder, groups))


def test_rules(groups: dict[str, Any], tests: dict[str, Any]) -> str:
    """Return the output of ``promtool test rules``, which compares alerts by their labels.

    ``tests`` has promtool's format without ``rule_files``. Each test evaluates only the alerts that
    it expects something of: all rules of a chart over the days of a backup take minutes.

    Raises:
        PromtoolError: an alert differs from the expectation of a test.

    """
    by_alerts: dict[frozenset[str], list[Any]] = {}
    for test in tests["tests"]:
        names = frozenset(each["alertname"] for each in test["alert_rule_test"])
        by_alerts.setdefault(names, []).append(test)
    return "".join(
        _test_rules(groups, {**tests, "tests": chosen}, names)
        for names, chosen in by_alerts.items()
    )


def _test_rules(groups: dict[str, Any], tests: dict[str, Any], alerts: frozenset[str]) -> str:
    chosen = [
        {
            **group,
            "rules": [
                _without_annotations(rule)
                for rule in group["rules"]
                if rule.get("alert") in {*alerts, None}  # without a name: a recording rule
            ],
        }
        for group in groups["groups"]
    ]
    with tempfile.TemporaryDirectory() as folder:
        document = {**tests, "rule_files": [_write_yaml(folder, {"groups": chosen})]}
        return _run("test", "rules", _write_yaml(folder, document, "tests.yaml"))


def check_metrics(exposed: str) -> str:
    """Return the output of ``promtool check metrics``; raises ``PromtoolError``."""
    return _run("check", "metrics", stdin=exposed)


def check_expression(expression: str) -> None:
    """Raise ``PromtoolError`` if an expression does not parse."""
    rule = {"record": "checked:expression", "expr": expression}
    check_rules({"groups": [{"name": "checked", "rules": [rule]}]})


def _run(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [find_program(), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PromtoolError(f"{done.stdout}{done.stderr}".strip())
    return done.stdout


def _without_annotations(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule without its annotations, which tests would have to repeat."""
    return {name: value for name, value in rule.items() if name != "annotations"}


def _write_yaml(folder: str, document: dict[str, Any], name: str = "rules.yaml") -> str:
    file = Path(folder) / name
    file.write_text(yaml.safe_dump(document))
    return str(file)


def _download(into: Path) -> None:
    """Unpack the programs from Debian's package, which needs no root privileges."""
    with tempfile.TemporaryDirectory(dir=into) as name:
        folder = Path(name)
        folder.chmod(0o755)  # apt drops root privileges
        try:
            _run_in_folder("apt-get", "download", "-q", DEBIAN_PACKAGE, folder=folder)
            (package,) = folder.glob(f"{DEBIAN_PACKAGE}_*.deb")
            _run_in_folder("dpkg-deb", "-x", package.name, "unpacked", folder=folder)
            for each in PROGRAMS:
                (folder / "unpacked" / "usr" / "bin" / each).rename(into / each)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise PromtoolError(f"{MISSING_MESSAGE} ({error})") from error


def _run_in_folder(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
