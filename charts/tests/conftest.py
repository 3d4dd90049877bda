"""The Helms that the charts are tried with."""

import pytest
from rendering import helms


@pytest.fixture(scope="session")
def all_helms(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every Helm that is there."""
    found: list[str] = helms(tmp_path_factory.mktemp("helm"))
    return found


@pytest.fixture(scope="session")
def helm(all_helms: list[str]) -> str:
    """One of them."""
    return all_helms[0]
