"""Fixtures: the available Helm versions, and promtool."""

import pytest

from scripts.charts import promtool
from scripts.charts.rendering import find_helms


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
