"""Prometheus' own programs, and what they say of rules and of their tests."""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

KEPT = Path(__file__).resolve().parents[2] / "build" / "prometheus"
PROGRAMS = ("promtool", "prometheus")
PACKAGE = "prometheus"  # of Debian and Ubuntu; it is unpacked and not installed
MISSING = (
    "promtool is not here: put Prometheus' programs on the PATH, or have apt fetch Debian's package"
)


class PromtoolError(Exception):
    """Promtool is not to be had, or refuses; the message is what it says."""


@functools.cache
def program(name: str = "promtool") -> str:
    """Return the path of one of Prometheus' programs: of the PATH, or out of Debian's package.

    Raises:
        PromtoolError: it is not here, and cannot be fetched; the message says what to do.

    """
    on_path = shutil.which(name)
    if on_path is not None:
        return on_path
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (KEPT / name).exists():
            _fetch(KEPT)
    return str(KEPT / name)


def must_be_there() -> bool:
    """Tell whether a check may not be left out for want of a program."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def check_rules(groups: dict[str, Any]) -> str:
    """Return what ``promtool check rules`` says of rule groups; raises ``PromtoolError``."""
    with tempfile.TemporaryDirectory() as folder:
        return _run("check", "rules", "--lint=all", "--lint-fatal", _written(folder, groups))


def test_rules(groups: dict[str, Any], tests: dict[str, Any]) -> str:
    """Return what ``promtool test rules`` says of alerts, by their labels alone.

    ``tests`` is promtool's own format, without the name of the rules' file.

    Raises:
        PromtoolError: an alert did not do what the tests expect of it.

    """
    bare = [{**group, "rules": list(map(_bare, group["rules"]))} for group in groups["groups"]]
    with tempfile.TemporaryDirectory() as folder:
        whole = {**tests, "rule_files": [_written(folder, {"groups": bare})]}
        return _run("test", "rules", _written(folder, whole, "tests.yaml"))


def check_metrics(exposed: str) -> str:
    """Return what ``promtool check metrics`` says of what is scraped; raises ``PromtoolError``."""
    return _run("check", "metrics", stdin=exposed)


def check_expression(expression: str) -> None:
    """Raise ``PromtoolError`` when an expression does not parse."""
    rule = {"record": "tried:expression", "expr": expression}
    check_rules({"groups": [{"name": "tried", "rules": [rule]}]})


def _run(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [program(), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PromtoolError(f"{done.stdout}{done.stderr}".strip())
    return done.stdout


def _bare(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule without its sentences for people, which tests would have to repeat."""
    return {name: value for name, value in rule.items() if name != "annotations"}


def _written(folder: str, document: dict[str, Any], name: str = "rules.yaml") -> str:
    file = Path(folder) / name
    file.write_text(yaml.safe_dump(document))
    return str(file)


def _fetch(into: Path) -> None:
    """Unpack Prometheus' programs out of Debian's package, which takes no rights."""
    with tempfile.TemporaryDirectory(dir=into) as name:
        folder = Path(name)
        folder.chmod(0o755)  # apt drops its rights when it is root
        try:
            _apt("apt-get", "download", "-q", PACKAGE, folder=folder)
            (package,) = folder.glob(f"{PACKAGE}_*.deb")
            _apt("dpkg-deb", "-x", package.name, "unpacked", folder=folder)
            for each in PROGRAMS:
                (folder / "unpacked" / "usr" / "bin" / each).rename(into / each)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise PromtoolError(f"{MISSING} ({error})") from error


def _apt(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
