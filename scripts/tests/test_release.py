"""Releases: versions, notes, and charts that render with their version."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.charts.rendering import find_helms, render
from scripts.release import commands
from scripts.release.artifacts import build
from scripts.release.changelog import changes, release_notes
from scripts.release.commands import ReleaseError

ROOT = Path(__file__).parents[2]
GIT = shutil.which("git") or "git"
AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@t.example")
CHANGELOG = """# Changelog

## Unreleased
### Added
- A thing.

## [1.2.0] - 2026-01-31
### Fixed
- A fault.

## 1.1.0
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "scripts.release", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "version", ["", "1.1", "v1.1.0", "1.1.0+build", "1.1.0-next", "01.1.0", "latest"]
)
def test_an_invalid_version_is_an_error(version: str) -> None:
    done = run(version)
    assert done.returncode == 2
    assert "VERSION must be like 1.1.0" in done.stderr


def test_a_push_needs_a_registry() -> None:
    done = run("1.1.0", "--push")
    assert (done.returncode, "--push needs --registry" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "registry", ["r.example/shop/", "r.example/Shop", "https://r.example", "r.example//a", "r a"]
)
def test_a_registry_that_no_reference_can_have_is_an_error(registry: str) -> None:
    done = run("1.1.0", "--registry", registry, "--no-images")
    assert (done.returncode, "--registry must be like ghcr.io/shop" in done.stderr) == (2, True)


@pytest.mark.parametrize("platform", ["linux/riscv64", "linux/amd64,linux/arm64", "arm64"])
def test_a_platform_that_no_image_has_is_an_error(platform: str) -> None:
    done = run("1.1.0", "--platform", platform)
    assert (done.returncode, "'linux/amd64', 'linux/arm64'" in done.stderr) == (2, True)


def test_the_notes_are_those_of_the_last_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    file = tmp_path / "CHANGELOG.md"
    file.write_text("# Changelog\n")
    for command in ("init -q", "add .", "commit -q -m first"):
        subprocess.run([GIT, *AUTHOR, *command.split()], cwd=tmp_path, check=True)
    file.write_text(CHANGELOG)
    with pytest.raises(ReleaseError, match=r"write a section ## 1\.2\.0"):
        build("1.2.0", tmp_path / "release")


@pytest.mark.parametrize(
    ("version", "notes"),
    [
        ("1.2.0", "# 1.2.0\n### Fixed\n- A fault.\n"),
        ("1.1.0", "# 1.1.0\n### Added\n- A thing.\n"),
    ],
)
def test_the_notes_are_the_section_of_the_version_or_the_unreleased_one(
    version: str, notes: str
) -> None:
    assert release_notes(CHANGELOG, version) == notes


def test_a_release_without_notes_is_an_error() -> None:
    with pytest.raises(ReleaseError, match="write a section ##"):
        release_notes("# Changelog\n\n## Unreleased\n", "1.1.0")


def test_changes_have_the_kind_of_their_heading() -> None:
    notes = "# 1.1.0\n### Added\n- A thing,\n  with more.\n### Fixed\n- A fault.\n"
    assert changes(notes) == [
        {"kind": "added", "description": "A thing, with more."},
        {"kind": "fixed", "description": "A fault."},
    ]


@pytest.mark.long  # a wheel, seven charts and five bills of materials
def test_a_release_has_one_version(tmp_path: Path) -> None:
    done = run(
        *("1.9.0-rc.1", "--no-images", "--output", str(tmp_path)),
        *("--registry", "registry.example/shop"),
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "1.9.0-rc.1"
    names = {path.name for path in folder.iterdir()}
    bills = {f"{lock}.cdx.json" for lock in ("backup", "load", "robot", "services", "synthetic")}
    assert {"notes.md", *bills} <= names
    assert "cadastro_synthetic-1.9.0rc1-py3-none-any.whl" in names
    assert len(list(folder.glob("*-1.9.0-rc.1.tgz"))) == 7
    helm = find_helms(tmp_path)[0]
    package = str(folder / "cadastro-1.9.0-rc.1.tgz")
    shown = subprocess.run([helm, "show", "chart", package], capture_output=True, check=True)
    annotations = yaml.safe_load(shown.stdout)["annotations"]
    described = yaml.safe_load(annotations["artifacthub.io/images"])
    assert described[0]["image"] == "registry.example/shop/cadastro/auth:1.9.0-rc.1"
    assert {each["kind"] for each in yaml.safe_load(annotations["artifacthub.io/changes"])} <= {
        *("added", "changed", "deprecated", "removed", "fixed", "security")
    }
    objects = render(helm, package)
    images = {
        container["image"]
        for item in objects
        if item["kind"] == "Deployment"
        for container in item["spec"]["template"]["spec"]["containers"]
    }
    assert len(images) == 5
    assert {image.rpartition(":")[2] for image in images} == {"1.9.0-rc.1"}
