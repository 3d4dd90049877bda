"""Images of a release, and the platforms that the builder can build for."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.release.artifacts import release_tree
from scripts.release.commands import ROOT, ReleaseError, git, run, say
from scripts.release.registry import Registry

BUILDERS = ("buildah", "podman")  # docker makes no manifest list without a second builder
WANTED = ("linux/amd64", "linux/arm64")


def find_builder() -> str:
    """Return CONTAINER_TOOL, or the first builder on the PATH.

    Raises:
        ReleaseError: there is none, or it makes no manifest lists.

    """
    named = os.environ.get("CONTAINER_TOOL")
    found = named or next(filter(shutil.which, BUILDERS), "")
    if Path(found).name not in BUILDERS:
        raise ReleaseError(
            "the images of a release are manifest lists: install buildah or podman, and name it in "
            "CONTAINER_TOOL, or leave the images out with ARGS=--no-images"
        )
    return found


def find_platforms(builder: str, required: Sequence[str] = ()) -> list[str]:
    """Return the required platforms, or else those of WANTED that the builder can build for.

    Reports the reason for each platform that is left out.

    Raises:
        ReleaseError: the builder cannot build for a required platform, or for any.

    """
    command = [str(ROOT / "scripts" / "images"), "--platforms"]
    environ = {**os.environ, "CONTAINER_TOOL": builder}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    found = done.stdout.split()
    left_out = [platform for platform in required or WANTED if platform not in found]
    if not found or (required and left_out):
        raise ReleaseError(f"no image for {', '.join(left_out)}: {done.stderr.strip()}")
    if left_out:
        say(f"LEFT OUT: {', '.join(left_out)}. {done.stderr.strip()}")
    return list(required) or found


def build_images(
    version: str, registry: Registry, platforms: Sequence[str], *, source: str, push: bool
) -> dict[str, str]:
    """Build a manifest list of each image, and return the pushed ones, with digest, by name.

    Raises:
        ReleaseError: a program fails or is missing.

    """
    say(f"building the images for {', '.join(platforms)}")
    prefix = f"{registry.address}/cadastro" if registry.address else "cadastro"
    settings = {
        "CONTAINER_TOOL": find_builder(),
        "TAG": version,
        "REPOSITORY": prefix,
        "PLATFORMS": ",".join(platforms),
        "REVISION": git("rev-parse", "HEAD").decode().strip(),
        "CREATED": git("show", "-s", "--format=%cI", "HEAD").decode().strip(),
        "SOURCE": source,
        "PUSH": "1" if push else "",
        "TLS_VERIFY": str(not registry.plain_http).lower(),
    }
    with release_tree(version) as tree, tempfile.TemporaryDirectory() as digests:
        run(str(tree / "scripts" / "images"), environ={**settings, "DIGESTS": digests})
        return {
            file.name: f"{prefix}/{file.name}@{file.read_text(encoding='utf-8').strip()}"
            for file in sorted(Path(digests).iterdir())
        }
