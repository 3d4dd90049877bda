"""Files of a release: wheel, charts, bills of materials and notes."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from devstack.service_catalog import SERVICES as API_SERVICES
from scripts.charts.rendering import find_helms
from scripts.release.changelog import changes, release_notes
from scripts.release.commands import ROOT, git, run, say

OUTPUT = ROOT / "build" / "release"
SERVICES = [*API_SERVICES, "synthetic"]  # with images that the umbrella chart installs
CHARTS = ("auth", "cadastro", "clients", "inventory", "load", "products", "synthetic")


def build(version: str, output: Path = OUTPUT, registry: str = "") -> Path:
    """Build all but the images into a folder of ``output``, and return the folder.

    The charts name their images in ``registry``, if it is given.

    Raises:
        ReleaseError: a program fails or is missing, or the changelog has nothing to tell.

    """
    folder = output / version
    notes = release_notes(git("show", "HEAD:CHANGELOG.md").decode(), version)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text(notes, encoding="utf-8")
    with release_tree(version) as tree:
        say("building the wheel")
        uv = str(Path(sys.executable).with_name("uv"))
        run(uv, "build", "--quiet", "--wheel", str(tree / "synthetic"), "-o", str(folder))
        (folder / ".gitignore").unlink(missing_ok=True)  # of uv
        helm = find_helms(ROOT / "build")[0]
        for chart in CHARTS:
            annotate(tree / "charts" / chart / "Chart.yaml", version, notes, registry)
            say(f"packaging the chart {chart}")
            run(helm, "package", str(tree / "charts" / chart), "-d", str(folder))
        say("writing the bills of materials")
        audit = str(ROOT / "scripts" / "audit.py")
        run(sys.executable, audit, "bills", "--folder", str(tree))
        for bill in (tree / "reports" / "sbom").iterdir():
            shutil.copy(bill, folder)
    return folder


def bill_of(image: str, folder: Path) -> Path:
    """Return the bill of materials of an image in the folder of a release."""
    own = folder / f"{image}.cdx.json"
    return own if own.is_file() else folder / "services.cdx.json"


def annotate(chart: Path, version: str, notes: str, registry: str) -> None:
    """Add the annotations of Artifact Hub that depend on the release to the file of a chart."""
    document = yaml.safe_load(chart.read_text(encoding="utf-8"))
    annotations = document.setdefault("annotations", {})
    annotations["artifacthub.io/changes"] = yaml.safe_dump(changes(notes), sort_keys=False)
    annotations["artifacthub.io/prerelease"] = str("-" in version).lower()
    if registry:
        names = SERVICES if document["name"] == "cadastro" else [document["name"]]
        images = [
            {"name": name, "image": f"{registry}/cadastro/{name}:{version}"} for name in names
        ]
        annotations["artifacthub.io/images"] = yaml.safe_dump(images, sort_keys=False)
    chart.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def set_version(tree: Path, version: str) -> None:
    """Replace the versions of the charts and packages of a tree."""
    for file in tree.glob("charts/*/Chart.yaml"):
        _substitute(file, r"^( *version: ).*$", version)
        _substitute(file, r"^(appVersion: ).*$", f'"{version}"')
    for file in (*tree.glob("services/*/pyproject.toml"), tree / "pyproject.toml"):
        _substitute(file, r"^(version = ).*$", f'"{version}"')
    for file in tree.glob("synthetic/src/synthetic/__init__.py"):
        _substitute(file, r"^(__version__ = ).*$", f'"{version}"')


def _substitute(file: Path, pattern: str, value: str) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(
        re.sub(pattern, lambda match: match[1] + value, text, flags=re.MULTILINE), encoding="utf-8"
    )


@contextmanager
def release_tree(version: str) -> Iterator[Path]:
    """Copy the last commit, with the version of the release, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="cadastro-release-") as name:
        command = ["tar", "-x", "-C", name]
        subprocess.run(command, input=git("archive", "HEAD"), check=True)
        set_version(Path(name), version)
        yield Path(name)
