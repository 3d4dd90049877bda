"""The Helms that the charts are tried with, and Prometheus' promtool."""

import pytest

from scripts.charts import promtool
from scripts.charts.rendering import find_helms


@pytest.fixture(scope="session")
def all_helms(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every Helm that is there."""
    found: list[str] = find_helms(tmp_path_factory.mktemp("helm"))
    return found


@pytest.fixture(scope="session")
def helm(all_helms: list[str]) -> str:
    """One of them."""
    return all_helms[0]


@pytest.fixture(scope="session", name="promtool")
def found_promtool() -> None:
    """Promtool is there, or what needs it is left out with a sentence; with CI=true it fails."""
    try:
        promtool.find_program()
    except promtool.PromtoolError as error:
        if promtool.is_required():
            raise
        pytest.skip(str(error))
