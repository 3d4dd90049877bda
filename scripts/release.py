"""Build a release: wheel, charts, bills of materials and notes; with --push also images.

The release is made of the last commit. Its version replaces those of the charts, the packages and
the images, which in the tree are those of development. Without --push nothing leaves the machine.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from devstack.service_catalog import SERVICES as API_SERVICES
from scripts.charts.rendering import find_helms

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "release"
BILLS = ROOT / "reports" / "sbom"
SERVICES = [*API_SERVICES, "synthetic"]  # with images that the umbrella chart installs
CHARTS = ("auth", "cadastro", "clients", "inventory", "load", "products", "synthetic")
# Versions of charts and packages alike: semantic versions that Python can read.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(alpha|beta|rc)\.(0|[1-9]\d*))?")


class ReleaseError(Exception):
    """The release cannot be made; the message has the cause and the remedy."""


def main() -> int:
    """Build the release, list its files, and return the exit code."""
    options = _parse()
    try:
        folder = build(options.version, options.output, options.registry)
        if options.push:
            push_images(options.version, options.registry, plain_http=options.plain_http)
            push_charts(folder, options.registry, plain_http=options.plain_http)
    except ReleaseError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    for path in sorted(folder.iterdir()):
        print(path)
    if not options.push:
        _say("nothing was pushed: add --push and --registry for images and charts")
    return 0


def build(version: str, output: Path = OUTPUT, registry: str = "") -> Path:
    """Build all but the images into a folder of ``output``, and return the folder.

    The charts name their images in ``registry``, if it is given.

    Raises:
        ReleaseError: a program fails or is missing, or the changelog has nothing to tell.

    """
    folder = output / version
    notes = release_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text(notes, encoding="utf-8")
    with _tree(version) as name:
        tree = Path(name)
        _say("building the wheel")
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "build", "--quiet", "--wheel", str(tree / "synthetic"), "-o", str(folder))
        (folder / ".gitignore").unlink(missing_ok=True)  # of uv
        for chart in CHARTS:
            annotate(tree / "charts" / chart / "Chart.yaml", version, notes, registry)
            _say(f"packaging the chart {chart}")
            _run(_helm(), "package", str(tree / "charts" / chart), "-d", str(folder))
    _say("writing the bills of materials")
    _run(sys.executable, str(ROOT / "scripts" / "audit.py"), "bills")
    for bill in BILLS.glob("*.cdx.json"):
        shutil.copy(bill, folder)
    return folder


def push_images(version: str, registry: str, *, plain_http: bool = False) -> None:
    """Build the images and push them.

    Raises:
        ReleaseError: a program fails or is missing.

    """
    _say("building and pushing the images")
    with _tree(version) as name:
        settings = {"TAG": version, "REPOSITORY": f"{registry}/cadastro", "PUSH": "1"}
        settings["REVISION"] = _git("rev-parse", "HEAD").decode().strip()
        if plain_http:
            settings["TLS_VERIFY"] = "false"
        _run(str(Path(name) / "scripts" / "images"), environ=settings)


def push_charts(folder: Path, registry: str, *, plain_http: bool = False) -> None:
    """Push the packaged charts of a folder below ``charts`` of a registry.

    Raises:
        ReleaseError: helm fails or is missing.

    """
    for package in sorted(folder.glob("*.tgz")):
        _say(f"pushing {package.name}")
        insecure = ["--plain-http"] if plain_http else []
        _run(_helm(), "push", str(package), f"oci://{registry}/charts", *insecure)


def release_notes(changelog: str, version: str) -> str:
    """Return the section of a version, or else the unreleased one, as release notes.

    Raises:
        ReleaseError: neither has an entry.

    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    for title in (version, "Unreleased"):
        for section in sections:
            heading, _, body = section.partition("\n")
            if heading.strip("[] ").partition(" ")[0].rstrip("]") == title and "- " in body:
                return f"# {version}\n{body.strip()}\n"
    raise ReleaseError(f"CHANGELOG.md has no entries: write a section ## {version}")


def changes(notes: str) -> list[dict[str, str]]:
    """Return the entries of release notes as Artifact Hub's annotation ``changes`` has them."""
    found: list[dict[str, str]] = []
    kind = ""
    for line in notes.splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").strip().lower()
        elif line.startswith("- "):
            found.append({"kind": kind, "description": line.removeprefix("- ")})
        elif line.startswith("  ") and found:
            found[-1]["description"] += f" {line.strip()}"
    return found


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


def _tree(version: str) -> tempfile.TemporaryDirectory[str]:
    """Return a copy of the last commit with the version of the release."""
    folder = tempfile.TemporaryDirectory(prefix="cadastro-release-")
    command = ["tar", "-x", "-C", folder.name]
    subprocess.run(command, input=_git("archive", "HEAD"), check=True)
    set_version(Path(folder.name), version)
    return folder


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]} failed: make the release in a clone")
    return done.stdout


def _helm() -> str:
    return find_helms(ROOT / "build")[0]


def _run(*command: str, environ: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is missing: add it to the PATH") from None
    if done.returncode:
        raise ReleaseError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


def _say(message: str) -> None:
    print(f"release: {message}", file=sys.stderr, flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make release",
        description=__doc__,
        epilog="Exit codes: 0 the release is complete, 1 it is not, 2 an option is wrong.",
    )
    parser.add_argument("version", metavar="VERSION", help="such as 1.1.0 or 1.1.0-rc.1")
    parser.add_argument(
        "--push", action="store_true", help="build the images; push these and charts"
    )
    parser.add_argument("--registry", default="", help="of images and charts, like ghcr.io/shop")
    parser.add_argument("--plain-http", action="store_true", help="the registry has no TLS")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder (build/release)")
    options = parser.parse_args()
    if not VERSION.fullmatch(options.version):
        parser.error(f"VERSION must be like 1.1.0 or 1.1.0-rc.1, not {options.version!r}")
    if options.push and not options.registry:
        parser.error("--push needs --registry")
    return options


if __name__ == "__main__":
    sys.exit(main())
