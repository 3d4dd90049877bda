"""A pytest plugin that runs the modules with slow tests first.

A slow test that starts last would leave the other workers of pytest-xdist idle until its end.
"""

import pytest

MARKERS = ("slow", "long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the modules with a slow test to the front, and keep the order of the others."""
    slow = {item.path for item in items if any(map(item.get_closest_marker, MARKERS))}
    items.sort(key=lambda item: item.path not in slow)
