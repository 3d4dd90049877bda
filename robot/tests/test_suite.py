"""The acceptance suite, run as `make robot` runs it: it passes, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import httpx

from system import running

ROOT = Path(__file__).parents[2]


def accept(url: str, secret: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the suite against a system."""
    command = [sys.executable, "robot/executar.py", "--url", url, "--segredo", str(secret)]
    return subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )


def rows(url: str) -> dict[str, int]:
    """Return how many rows a user can see."""
    body = {"username": "contagem", "password": "Testando"}
    with httpx.Client(base_url=url) as client:
        client.post("/users/create", json=body)
        token = client.post("/users/login", auth=("contagem", "Testando")).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        paths = ("/clients/fetch", "/address/fetch", "/products/fetch")
        return {path: len(client.get(path, headers=headers).json()) for path in paths}


def test_the_suite_passes_and_leaves_nothing_behind(data_folder: Path) -> None:
    with running(data_folder) as system:
        before = rows(system.url)
        secret = data_folder / "secrets" / "oauth-clients" / "synthetic"
        done = accept(system.url, secret)
        assert done.returncode == 0, done.stdout
        assert "0 falharam" in done.stdout
        assert rows(system.url) == before
        # the scenarios of the other mode pass there, and are skipped here
        assert "1 foram pulados" in done.stdout


def test_a_system_that_is_not_there_is_told() -> None:
    done = accept("http://127.0.0.1:9", Path("nowhere"))
    assert done.returncode == 2
    assert "make run" in done.stderr
