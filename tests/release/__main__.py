"""A release is pushed to REGISTRY, and verified as by its users.

The release has a new version and a new key. It needs buildah or podman, helm, oras and cosign;
TLS_VERIFY=true is for a registry with HTTPS. The registry keeps what was pushed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.commands import CommandError, run_command
from tests.support.images import tls_verify
from tests.support.steps import Progress, StepFailed, StepRunner, check

PASSWORD = {"COSIGN_PASSWORD": "not a secret"}
CYCLONEDX = "application/vnd.cyclonedx+json"
LABELS = ("title", "version", "licenses", "base.name", "revision", "created", "source")
SOURCE = "https://git.example/cadastro"

report = Progress("release")


class Release:
    """A release of a new version in a registry."""

    def __init__(self, registry: str, folder: Path) -> None:
        """Make a key pair in ``folder``."""
        self.version = f"0.0.1-rc.{int(time.time())}"
        self.registry = registry
        self.is_http = tls_verify() == "false"
        self.folder = folder / self.version
        self._key = generate_key(folder)

    def push(self) -> str:
        """Build and push the release by its command."""
        options = ["--output", str(self.folder.parent), "--registry", self.registry, "--push"]
        options += ["--key", str(self._key), "--source", SOURCE]
        options += ["--plain-http"] if self.is_http else []
        run_command(
            *(sys.executable, "-m", "scripts.release", self.version, *options), environ=PASSWORD
        )
        return f"{self.version}: {len(self.pushed())} manifests"

    def pushed(self) -> list[str]:
        """Return the references of the images, their bills, and the charts."""
        return (self.folder / "pushed.txt").read_text().split()

    def images(self) -> list[str]:
        """Return the names of the images, with the tag."""
        names = run_command("scripts/images", "--list").split()
        return [f"{self.registry}/cadastro/{name}:{self.version}" for name in names]

    def check_images(self) -> str:
        """Check the platforms of each image, and the labels for each of them."""
        seen = set()
        for image in self.images():
            index = self.oras("manifest", "fetch", image)
            platforms = {
                "/".join((each["platform"]["os"], each["platform"]["architecture"]))
                for each in index["manifests"]
            }
            check("linux/amd64" in platforms or "linux/arm64" in platforms, f"{image}: {index}")
            seen |= platforms
            for platform in platforms:
                config = self.oras("manifest", "fetch-config", "--platform", platform, image)
                check(config["architecture"] in platform, f"{image}: {config['architecture']}")
                labels = config["config"]["Labels"]
                missing = [
                    label for label in LABELS if not labels.get(f"org.opencontainers.image.{label}")
                ]
                check(not missing, f"{image} for {platform} lacks the labels {missing}")
        return ", ".join(sorted(seen))

    def check_bills(self) -> str:
        """Check that each image has one referrer, which is its bill of materials."""
        for image in self.images():
            found = self.oras("discover", "--format", "json", image)
            bills = [each for each in found["referrers"] if each["artifactType"] == CYCLONEDX]
            check(len(bills) == 1, f"{image} has {len(bills)} bills")
            manifest = self.oras("manifest", "fetch", bills[0]["reference"])
            check(manifest["subject"]["digest"] == found["digest"], f"{image}: {manifest}")
            (layer,) = manifest["layers"]
            repository = image.rpartition(":")[0]
            bill = self.oras("blob", "fetch", "--output", "-", f"{repository}@{layer['digest']}")
            check(bill["bomFormat"] == "CycloneDX" and bill["components"], f"{image}: {bill}")
        return f"{len(self.images())} images"

    def check_signatures(self) -> str:
        """Check everything that was pushed with the public key, and that another key fails."""
        public = self.folder / "cosign.pub"
        for reference in [*self.pushed(), *self.images()]:
            self.verify(reference, public)
        with tempfile.TemporaryDirectory() as folder:
            foreign = generate_key(Path(folder)).with_suffix(".pub")
            try:
                self.verify(self.images()[0], foreign)
            except CommandError:
                return f"{len(self.pushed())} manifests; another key fails"
        raise StepFailed("an image passes with a key that did not sign it")

    def check_charts(self) -> str:
        """Check that each chart is found by the version."""
        charts = [each for each in self.pushed() if "/charts/" in each]
        http = ["--plain-http"] if self.is_http else []
        for chart in charts:
            name = chart.partition("@")[0]
            shown = run_command(
                "helm", "show", "chart", f"oci://{name}", "--version", self.version, *http
            )
            check(f"version: {self.version}" in shown, shown)
        return f"{len(charts)} charts"

    def verify(self, reference: str, key: Path) -> None:
        """Verify a signature; raises ``CommandError``."""
        http = ["--allow-insecure-registry"] if self.is_http else []
        run_command(
            "cosign", "verify", "--key", str(key), "--private-infrastructure", *http, reference
        )

    def oras(self, *arguments: str) -> Any:
        """Return the output of ORAS."""
        http = ["--plain-http"] if self.is_http else []
        verb = 2 if arguments[0] in {"manifest", "blob"} else 1
        return json.loads(run_command("oras", *arguments[:verb], *http, *arguments[verb:]))


def generate_key(folder: Path) -> Path:
    """Make ``cosign.key`` and ``cosign.pub`` in a folder, and return the first."""
    prefix = ("--output-key-prefix", str(folder / "cosign"))
    run_command("cosign", "generate-key-pair", *prefix, environ=PASSWORD)
    return folder / "cosign.key"


def main() -> int:
    """Run the steps, print the table, and return 1 when one failed."""
    argparse.ArgumentParser(prog="python -m tests.release", description=__doc__).parse_args()
    registry = os.environ.get("REGISTRY") or sys.exit("release: set REGISTRY")
    runner = StepRunner(report, CommandError)
    with tempfile.TemporaryDirectory(prefix="cadastro-release-") as folder:
        release = Release(f"{registry}/release-test", Path(folder))
        for name, step in (
            ("build, push and sign", release.push),
            ("platforms and labels", release.check_images),
            ("bills of materials", release.check_bills),
            ("signatures", release.check_signatures),
            ("charts", release.check_charts),
        ):
            if not runner.run(name, step).is_ok:
                break
    for result in runner.results:
        print(f"{result.status:6}{result.name:24}{result.seconds:7.1f} s  {result.detail}")
    return 0 if runner.all_ok else 1


if __name__ == "__main__":
    sys.exit(main())
