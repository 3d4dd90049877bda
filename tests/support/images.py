"""Container images for a cluster: build, push and derive."""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.commands import run_command

BUILD_TIMEOUT_SECONDS = 3600.0
TOOLS = ("docker", "podman", "buildah")


def repository() -> str:
    """Return the repository of the images in REGISTRY."""
    return f"{os.environ['REGISTRY']}/cadastro"


def build(tag: str) -> None:
    """Build all images and push them with a tag."""
    environ = {
        "CONTAINER_TOOL": container_tool(),
        "REPOSITORY": repository(),
        "TAG": tag,
        "PUSH": "1",
        "TLS_VERIFY": tls_verify(),
    }
    run_command("scripts/images", environ=environ, timeout=BUILD_TIMEOUT_SECONDS)


def build_variant(image: str, base_tag: str, tag: str, files: Mapping[str, str]) -> None:
    """Push an image that extends ``base_tag`` by files; their paths start with ``app/``."""
    name = f"{repository()}/{image}"
    with tempfile.TemporaryDirectory(prefix="cadastro-e2e-") as folder:
        for path, text in files.items():
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o644)
        (Path(folder) / "Dockerfile").write_text(f"FROM {name}:{base_tag}\nCOPY app /app\n")
        run_command(container_tool(), "build", "-q", "-t", f"{name}:{tag}", folder)
    tls = [] if container_tool() == "docker" else [f"--tls-verify={tls_verify()}"]
    run_command(container_tool(), "push", "-q", *tls, f"{name}:{tag}")


def build_program(image: str, tag: str, program: Path) -> None:
    """Push an image of one statically linked program, which it starts."""
    text = 'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\n'
    _build_and_push(image, tag, text, program)


def build_text(image: str, tag: str, dockerfile: str) -> None:
    """Push an image of the text of a Dockerfile without files."""
    _build_and_push(image, tag, dockerfile)


def _build_and_push(image: str, tag: str, dockerfile: str, program: Path | None = None) -> None:
    name = f"{repository()}/{image}:{tag}"
    with tempfile.TemporaryDirectory(prefix="cadastro-e2e-") as folder:
        if program:
            shutil.copy2(program, Path(folder) / "program")
        (Path(folder) / "Dockerfile").write_text(dockerfile)
        run_command(
            container_tool(), "build", "-q", "-t", name, folder, timeout=BUILD_TIMEOUT_SECONDS
        )
    tls = [] if container_tool() == "docker" else [f"--tls-verify={tls_verify()}"]
    run_command(container_tool(), "push", "-q", *tls, name)


@functools.cache
def container_tool() -> str:
    """Return CONTAINER_TOOL, or the first tool that works on this machine."""
    return os.environ.get("CONTAINER_TOOL") or next(filter(_works, TOOLS), TOOLS[0])


def tls_verify() -> str:
    """Return TLS_VERIFY: ``false`` allows a registry without HTTPS."""
    return os.environ.get("TLS_VERIFY", "false")


def _works(tool: str) -> bool:
    """Return whether a container tool is installed and reaches its daemon, if it needs one."""
    if shutil.which(tool) is None:
        return False
    return subprocess.run([tool, "info"], capture_output=True, check=False).returncode == 0
