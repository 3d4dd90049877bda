"""Tests of SECURITY.md: named tests exist, and risks and tables with personal data are listed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
TESTS = re.compile(r"`(test_\w+)`")


def known_tests() -> set[str]:
    """Return the names of all tests."""
    folders = ("charts", "load", "openapi", "robot", "scripts", "services", "synthetic", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("test_*.py")]
    found = [
        re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE) for path in files
    ]
    return {name for names in found for name in names}


def test_every_named_test_exists() -> None:
    assert set(TESTS.findall(PAGE)) - known_tests() == set()


def test_every_risk_of_the_owasp_list_names_a_test() -> None:
    rows = re.findall(r"^\| \[API(\d+)\].*$", PAGE, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, 11))
    for line in PAGE.splitlines():
        if line.startswith("| [API"):
            assert TESTS.findall(line.rpartition(" | ")[2]), line


def test_every_table_with_personal_data_is_listed() -> None:
    names = {
        name
        for source in ROOT.glob("services/*/src/**/*.py")
        for name in re.findall(r'= Table\(\s*"(\w+)"', source.read_text())
    }
    impersonal = {"products", "gone", "outbox", "reconciliation"}
    personal = PAGE.partition("## Personal data")[2]
    assert {name for name in names if f"`{name}`" not in personal} == impersonal
