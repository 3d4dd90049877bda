"""The environment of `make`: made again when it is unusable, whatever the shell's variables are."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap

MAKING = "making the environment"


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without packages and without pip, as a failure of ensurepip leaves it."""
    folder = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    monkeypatch.setattr(bootstrap, "VENV", folder)
    return folder


@pytest.fixture
def steps(venv: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that would run."""
    found = []

    def record(what: str, *_: str, **__: str) -> None:
        found.append(what)
        venv.mkdir(exist_ok=True)

    monkeypatch.setattr(bootstrap, "run", record)
    return found


def add_uv(venv: Path) -> None:
    """Add a program in place of uv."""
    program = venv / "bin" / "uv"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)


def test_an_environment_without_pip_is_made_again(steps: list[str]) -> None:
    bootstrap.make("run")
    assert steps[:2] == [MAKING, "installing uv"]


def test_an_environment_without_a_python_is_made_again(venv: Path, steps: list[str]) -> None:
    add_uv(venv)
    (venv / "bin" / "python").unlink()
    bootstrap.make("run")
    assert steps[0] == MAKING


def test_an_environment_of_another_python_is_made_again(
    venv: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_uv(venv)
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    bootstrap.make("run")
    assert steps[0] == MAKING


def test_an_environment_with_uv_is_kept(venv: Path, steps: list[str]) -> None:
    add_uv(venv)
    (venv / "kept").touch()
    bootstrap.make("run")
    assert MAKING not in steps
    assert "installing uv" not in steps
    assert (venv / "kept").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"),
        *("PIP_DRY_RUN", "PIP_CONSTRAINT", "PIP_NO_BINARY"),
        *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_REQUIRE_HASHES"),
    ],
)
def test_a_step_ignores_variables_that_install_elsewhere_or_something_else(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    bootstrap.run("step", "sh", "-c", f'test -z "${name}"')


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_CERT", "UV_INDEX_URL", "https_proxy"])
def test_a_step_has_the_variables_of_indexes_and_proxies(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "here")
    bootstrap.run("step", "sh", "-c", f'test "${name}" = here')


def test_a_failed_step_has_its_own_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"step failed: .* Install it\. Then run"):
        bootstrap.run("step", "sh", "-c", "exit 3", hint="Install it.")
    assert "bootstrap: step" in capsys.readouterr().err
