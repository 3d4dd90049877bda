"""Pushed releases, with programs that record their arguments.

`python -m tests.release` uses the real ones.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.release.__main__ import push
from scripts.release.commands import ReleaseError
from scripts.release.images import build_images, find_builder, find_platforms
from scripts.release.registry import Registry

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a' * 64}"
RECORD = """#!/bin/bash
echo "$(basename "$0") $*" >> "$(dirname "$0")/log"
"""
VERSIONS = {"oras": "Version:    1.3.6", "cosign": "GitVersion:    v2.6.5"}
BUILDER = (
    RECORD
    + f"""
case "$*" in
*linux/arm64*"-f - .") echo "exec format error" >&2; exit 1 ;;
"manifest rm"*) exit 1 ;;
"manifest push"*) while [ "$1" != --digestfile ]; do shift; done; printf {DIGEST} > "$2" ;;
esac
"""
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, at the start of the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("CONTAINER_TOOL", "COSIGN_KEY", "COSIGN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return folder


def install(folder: Path, name: str, text: str) -> None:
    """Install a program."""
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)


def install_tools(folder: Path, **versions: str) -> None:
    """Install ORAS and cosign, which print a version and a digest, and helm."""
    for name, version in {**VERSIONS, **versions, "helm": ""}.items():
        install(folder, name, f'{RECORD}echo "{version}"\necho "Digest: {DIGEST}"\n')


def calls(folder: Path) -> list[str]:
    """Return the calls of the programs."""
    return (folder / "log").read_text().splitlines()


@pytest.mark.parametrize(
    ("versions", "key", "message"),
    [
        (None, "", "oras is missing.* install oras 1.3 or later"),
        ({"oras": "Version:    1.2.3"}, "", "oras 1.2 is too old"),
        ({"cosign": "GitVersion:    v2.4.1"}, "awskms:///k", "cosign 2.4 is too old"),
        ({}, __file__, "set COSIGN_PASSWORD"),
    ],
)
def test_a_push_needs_its_tools_before_anything_is_built(
    programs: Path, versions: dict[str, str] | None, key: str, message: str
) -> None:
    if versions is not None:
        install_tools(programs, **versions)
    command = (sys.executable, "-m", "scripts.release", "1.1.0", "--push", "--registry", "r")
    options = ("--key", key) if key else ()
    environ = {"PATH": str(programs) if versions is None else f"{programs}:/usr/bin:/bin"}
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.search(message, done.stderr), done.stderr
    assert "building" not in done.stderr


def test_a_key_without_cosign_is_an_error(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_tools(programs)
    (programs / "cosign").unlink()
    monkeypatch.setenv("PATH", str(programs))
    install(programs, "oras", "#!/bin/sh\necho Version: 1.3.6\n")
    with pytest.raises(ReleaseError, match=r"cosign is missing.* install cosign"):
        Registry("r", key="awskms:///k").check_tools()


def test_a_platform_that_cannot_be_built_is_left_out_and_named(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(programs, "buildah", BUILDER)
    assert find_platforms(find_builder()) == ["linux/amd64"]
    assert "LEFT OUT: linux/arm64." in capsys.readouterr().err


def test_a_required_platform_that_cannot_be_built_is_an_error(programs: Path) -> None:
    install(programs, "buildah", BUILDER)
    with pytest.raises(ReleaseError, match=r"no image for linux/arm64: .*exec format error"):
        find_platforms("buildah", ["linux/amd64", "linux/arm64"])


def test_docker_makes_no_manifest_lists(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "buildah", BUILDER)
    monkeypatch.setenv("CONTAINER_TOOL", "docker")
    with pytest.raises(ReleaseError, match="install buildah or podman"):
        find_builder()


def test_images_are_manifest_lists_with_labels(programs: Path) -> None:
    install(programs, "buildah", BUILDER)
    registry = Registry("r.example", plain_http=True)
    images = build_images("1.1.0", registry, ["linux/amd64", "linux/arm64"], source="s", push=True)
    assert images["auth"] == f"r.example/cadastro/auth@{DIGEST}"
    assert set(images) >= {"clients", "synthetic", "load", "robot", "backup"}
    name = "r.example/cadastro/auth:1.1.0"
    *removals, build, pushed = (call for call in calls(programs) if name in call)
    assert removals == [f"buildah manifest rm {name}", f"buildah rmi {name}"]
    assert f"--platform linux/amd64,linux/arm64 --manifest {name}" in build
    for label in ("title=auth", "version=1.1.0", "source=s", r"revision=\w{40}", r"created=\d{4}-"):
        assert re.search(rf"--label org\.opencontainers\.image\.{label}", build)
    assert "--all --format oci --tls-verify=false" in pushed
    assert pushed.endswith(f"{name} docker://{name}")


def test_a_dry_run_pushes_no_image(programs: Path) -> None:
    install(programs, "buildah", BUILDER)
    assert build_images("1.1.0", Registry(""), ["linux/amd64"], source="", push=False) == {}
    assert not any("push" in call or "source=" in call for call in calls(programs))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a release with a chart and two bills."""
    for name in ("services.cdx.json", "load.cdx.json", "auth-1.1.0-rc.1.tgz"):
        (tmp_path / name).touch()
    return tmp_path


def test_images_bills_and_charts_are_signed_by_digest(programs: Path, folder: Path) -> None:
    install_tools(programs)
    images = {name: f"r/cadastro/{name}@{DIGEST}" for name in ("auth", "load")}
    push(folder, images, Registry("r", key="k"))
    made = calls(programs)
    attached = [call.rpartition(" ")[2] for call in made if call.startswith("oras attach")]
    kind = "application/vnd.cyclonedx+json"
    assert attached == [f"services.cdx.json:{kind}", f"load.cdx.json:{kind}"]
    signed = [call for call in made if call.startswith("cosign sign")]
    references = [*images.values(), *images.values(), f"r/charts/auth@{DIGEST}"]  # bills too
    assert [call.rpartition(" ")[2] for call in signed] == references
    assert all("--key k --tlog-upload=false" in call for call in signed)
    assert (folder / "pushed.txt").read_text().split() == references


def test_signatures_reach_the_log_if_asked(programs: Path, folder: Path) -> None:
    install_tools(programs)
    push(folder, {}, Registry("r", key="k", has_transparency_log=True))
    (signed,) = (call for call in calls(programs) if call.startswith("cosign sign"))
    assert "tlog" not in signed


def test_without_a_key_nothing_is_signed(programs: Path, folder: Path) -> None:
    install_tools(programs)
    push(folder, {}, Registry("r", plain_http=True))
    assert [call.partition(" ")[0] for call in calls(programs)] == ["helm"]
