"""A pytest plugin that measures coverage in the subprocesses of marked tests only.

Coverage almost doubles the CPU time of the start of a process, and a system has a dozen of them.
"""

import os
from collections.abc import Generator

import pytest

MARKER = "covers_subprocesses"
VARIABLE = "COVERAGE_PROCESS_CONFIG"  # coverage sets it, and measures the processes that inherit it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hide the variable during a test without the marker, fixtures included."""
    hidden = None if item.get_closest_marker(MARKER) else os.environ.pop(VARIABLE, None)
    try:
        return (yield)
    finally:
        if hidden is not None:
            os.environ[VARIABLE] = hidden
