"""Tests of the search for secrets and of its allowlist."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def search(folder: Path) -> subprocess.CompletedProcess[str]:
    """Search a tree."""
    command = [sys.executable, str(ROOT / "scripts" / "audit.py"), "secrets"]
    return subprocess.run(
        [*command, "--folder", str(folder)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("key.pem", "-----BEGIN " + "EC PRIVATE KEY-----\nMHcCAQEEIB\n", "Private Key"),
        ("deploy.yaml", "key: AKIA" + "IOSFODNN7EXAMPLQ\n", "AWS Access Key"),
        (
            "settings.py",
            'URL = "postgresql://shop:' + 'h7Kx2pQ9@db/shop"\n',
            "Basic Auth Credentials",
        ),
    ],
)
def test_finds_a_secret(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    done = search(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{name}:1 looks like a {kind}" in done.stdout


def test_allows_a_known_false_positive_in_its_file_only(tmp_path: Path) -> None:
    (tmp_path / "openapi").mkdir()
    shutil.copy(ROOT / "openapi" / "auth.yaml", tmp_path / "openapi")
    assert search(tmp_path).returncode == 0
    (tmp_path / "openapi" / "auth.yaml").rename(tmp_path / "other.yaml")
    assert search(tmp_path).returncode == 1
