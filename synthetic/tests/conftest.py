"""What the tests of journeys and of the probe share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import Shop, open_shop, write_journey


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that behaves."""
    with open_shop() as served:
        yield served


@pytest.fixture
def journey(tmp_path: Path) -> Path:
    """The shop's journey, beside its contract."""
    return write_journey(tmp_path)
