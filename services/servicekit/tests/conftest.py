"""Fixtures of the tests of migrations."""

from collections.abc import Callable

import pytest


@pytest.fixture
def url(postgres_url_factory: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database, and the environment that names it."""
    url = postgres_url_factory()
    monkeypatch.setenv("DATABASE_URL", url)
    return url
