"""Fixtures: the available Helm versions, and promtool. `make check` tests the changed charts."""

import os

import pytest

from scripts.charts import promtool
from scripts.charts.rendering import find_helms
from scripts.checks import CHANGED_CHARTS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases of charts that have not changed, if the changed ones are named."""
    changed = os.environ.get(CHANGED_CHARTS, "").split()
    left = [item for item in items if changed and _chart_of(item) not in {"", *changed}]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _chart_of(item: pytest.Item) -> str:
    """Return the chart of a parametrized test, or nothing."""
    call: object = getattr(item, "callspec", None)
    params: dict[str, object] = getattr(call, "params", {})
    return str(params.get("chart", ""))


@pytest.fixture(scope="session")
def all_helms(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """All available Helm versions."""
    found: list[str] = find_helms(tmp_path_factory.mktemp("helm"))
    return found


@pytest.fixture(scope="session")
def helm(all_helms: list[str]) -> str:
    """One Helm version."""
    return all_helms[0]


@pytest.fixture(scope="session", name="promtool")
def found_promtool() -> None:
    """Skip the test if promtool is missing, or fail it in CI."""
    try:
        promtool.find_program()
    except promtool.PromtoolError as error:
        if promtool.is_required():
            raise
        pytest.skip(str(error))
