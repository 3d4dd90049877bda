"""Folders in which a system can keep its data."""

from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder below folders that PostgreSQL's own account can pass through."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith("pytest-of-"):
            folder.chmod(0o711)
            break
        folder.chmod(0o711)
    return tmp_path / "data"
