"""The search for secrets finds them, and knows what is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def searched(folder: Path) -> subprocess.CompletedProcess[str]:
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
def test_a_secret_is_found_where_it_lies(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    done = searched(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{name}:1 looks like a {kind}" in done.stdout


def test_what_is_known_to_be_none_is_none_in_its_own_file_alone(tmp_path: Path) -> None:
    (tmp_path / "openapi").mkdir()
    shutil.copy(ROOT / "openapi" / "auth.yaml", tmp_path / "openapi")
    assert searched(tmp_path).returncode == 0
    (tmp_path / "openapi" / "auth.yaml").rename(tmp_path / "other.yaml")
    assert searched(tmp_path).returncode == 1
