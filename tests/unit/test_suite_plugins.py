"""The pytest plugins that order the tests, choose the subprocesses with coverage, and set trust."""

import ssl
from pathlib import Path

import pytest

from servicekit.testing import environment
from servicekit.testing.certificates import self_signed

pytest_plugins = ("pytester",)

ORDERED = """
import pytest
def test_quick(): pass
@pytest.mark.MARKER
def test_slow(): pass
"""
COVERED = """
import os
import pytest
VARIABLE = "COVERAGE_PROCESS_CONFIG"
def test_other(): assert VARIABLE not in os.environ
@pytest.mark.covers_subprocesses
def test_marked(): assert os.environ[VARIABLE] == "settings"
def test_next(): assert VARIABLE not in os.environ
"""


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load none of the installed plugins into the inner runs."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize("marker", ["slow", "long"])
def test_a_module_with_a_slow_test_runs_first_and_stays_together(
    pytester: pytest.Pytester, marker: str
) -> None:
    pytester.makeini(f"[pytest]\nmarkers = {marker}")
    module = ORDERED.replace("MARKER", marker)
    pytester.makepyfile(test_a="def test_first(): pass", test_b=module)
    done = pytester.runpytest("-p", "tests.support.slow_first", "--collect-only", "-q")
    done.stdout.fnmatch_lines(["*b.py::test_quick", "*b.py::test_slow", "*a.py::test_first"])


def test_the_subprocesses_of_marked_tests_alone_have_coverage(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "settings")
    pytester.makeini("[pytest]\nmarkers = covers_subprocesses")
    pytester.makepyfile(COVERED)
    done = pytester.runpytest_inprocess("-p", "tests.support.subprocess_coverage", "-q")
    done.assert_outcomes(passed=3)


def test_contexts_of_tests_trust_the_authorities_of_a_test_alone(tmp_path: Path) -> None:
    assert ssl.create_default_context().get_ca_certs() == []
    file = self_signed(tmp_path)
    with environment(SSL_CERT_FILE=str(file)):
        assert len(ssl.create_default_context().get_ca_certs()) == 1
    assert len(ssl.create_default_context(cafile=file).get_ca_certs()) == 1
