"""Build a release: wheel, charts, bills of materials, notes and images; with --push also push them.

The release is made of the last commit. Its version replaces those of the charts, the packages and
the images, which in the tree are those of development. Without --push nothing leaves the machine.
Images are built for amd64 and arm64, where the builder can. Each pushed image has its bill of
materials as a referrer. A key of cosign signs images, bills and charts.
"""

import argparse
import os
import re
import sys
from pathlib import Path

from scripts.release.artifacts import OUTPUT, bill_of, build
from scripts.release.commands import ReleaseError, say
from scripts.release.images import WANTED, build_images, find_builder, find_platforms
from scripts.release.registry import Registry

# Versions of charts and packages alike: semantic versions that Python can read.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(alpha|beta|rc)\.(0|[1-9]\d*))?")
# A host with its port, and a path as the distribution specification allows it.
REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
PUSHED = "pushed.txt"  # the references with digests
PUBLIC_KEY = "cosign.pub"


def main() -> int:
    """Make the release, list its files, and return the exit code."""
    options = _parse()
    registry = Registry(options.registry, options.plain_http, options.key, options.transparency_log)
    try:
        folder = release(options, registry)
    except ReleaseError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    for path in sorted(folder.iterdir()):
        print(path)
    if not options.push:
        say("nothing was pushed: add --push and --registry for images and charts")
    return 0


def release(options: argparse.Namespace, registry: Registry) -> Path:
    """Build the release, push it if it is asked for, and return the folder of its files.

    Raises:
        ReleaseError: a program fails or is missing, or the changelog has nothing to tell.

    """
    images: dict[str, str] = {}
    platforms: list[str] = []
    if options.push:
        registry.check_tools()
    if options.images:
        platforms = find_platforms(find_builder(), options.platform)
    folder = build(options.version, options.output, options.registry)
    if options.images:
        images = build_images(
            options.version, registry, platforms, source=options.source, push=options.push
        )
    if options.push:
        push(folder, images, registry)
    return folder


def push(folder: Path, images: dict[str, str], registry: Registry) -> None:
    """Attach the bills of pushed images, push the charts of a folder, and sign everything.

    Raises:
        ReleaseError: a program fails or is missing.

    """
    bills = [registry.attach(image, bill_of(name, folder)) for name, image in images.items()]
    charts = [registry.push_chart(package) for package in sorted(folder.glob("*.tgz"))]
    pushed = [*images.values(), *bills, *charts]
    if registry.key:
        registry.write_public_key(folder / PUBLIC_KEY)
        for reference in pushed:
            registry.sign(reference)
    (folder / PUSHED).write_text("".join(f"{each}\n" for each in pushed), encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make release",
        description=__doc__,
        epilog="Exit codes: 0 the release is complete, 1 it is not, 2 an option is wrong.",
    )
    parser.add_argument("version", metavar="VERSION", help="such as 1.1.0 or 1.1.0-rc.1")
    parser.add_argument("--push", action="store_true", help="push images and charts")
    parser.add_argument(
        "--no-images", dest="images", action="store_false", help="build and push no images"
    )
    parser.add_argument(
        "--platform",
        action="append",
        choices=WANTED,
        default=[],
        help="that the images must have; may be repeated (amd64, and arm64 if the builder can)",
    )
    parser.add_argument("--source", default="", help="URL of the sources, in a label of the images")
    parser.add_argument(
        "--key",
        default=os.environ.get("COSIGN_KEY", ""),
        help="file or URI of cosign's private key ($COSIGN_KEY); its password is $COSIGN_PASSWORD",
    )
    parser.add_argument(
        "--transparency-log", action="store_true", help="upload signatures to Sigstore's log"
    )
    parser.add_argument("--registry", default="", help="of images and charts, like ghcr.io/shop")
    parser.add_argument("--plain-http", action="store_true", help="the registry has no TLS")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder (build/release)")
    options = parser.parse_args()
    if not VERSION.fullmatch(options.version):
        parser.error(f"VERSION must be like 1.1.0 or 1.1.0-rc.1, not {options.version!r}")
    if options.push and not options.registry:
        parser.error("--push needs --registry")
    if options.registry and not REGISTRY.fullmatch(options.registry):
        parser.error(
            "--registry must be like ghcr.io/shop, in lower case, without a scheme and without a "
            f"slash at its end, not {options.registry!r}"
        )
    return options


if __name__ == "__main__":
    sys.exit(main())
