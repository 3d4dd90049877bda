"""Registry of a release: charts, bills of materials as referrers, and signatures.

helm pushes charts, ORAS attaches the bills of materials (OCI distribution 1.1, with the tag schema
where a registry has no referrers API), and cosign signs.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from scripts.charts.rendering import find_helms
from scripts.release.commands import ROOT, ReleaseError, git, run, say

CYCLONEDX = "application/vnd.cyclonedx+json"
CREATED = "org.opencontainers.image.created"
MINIMA = {"oras": (1, 3), "cosign": (2, 6)}  # versions
MODULES = {"oras": "oras.land/oras/cmd/oras", "cosign": "github.com/sigstore/cosign/v3/cmd/cosign"}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Registry:
    """A registry, and the key that signs what is pushed to it."""

    address: str  # with the path, such as ghcr.io/shop
    plain_http: bool = False
    key: str = ""  # file or URI of a private key, as cosign takes it; empty for no signatures
    has_transparency_log: bool = False  # signatures are uploaded to the log of Sigstore

    def check_tools(self) -> None:
        """Check the versions of the tools, and that cosign can use the key.

        Raises:
            ReleaseError: a tool is missing or too old, or cosign cannot read the key.

        """
        for tool in ("oras", "cosign") if self.key else ("oras",):
            minimum = ".".join(map(str, MINIMA[tool]))
            remedy = f"install {tool} {minimum} or later, as by go install {MODULES[tool]}@latest"
            try:
                text = run(tool, "version")
            except ReleaseError as error:
                raise ReleaseError(f"{error}; {remedy}") from None
            version = re.search(r"Version:\s+v?(\d+)\.(\d+)", text)  # a build may have none
            if version and tuple(map(int, version.groups())) < MINIMA[tool]:
                raise ReleaseError(f"{tool} {'.'.join(version.groups())} is too old: {remedy}")
        if self.key:
            if "COSIGN_PASSWORD" not in os.environ and Path(self.key).is_file():
                raise ReleaseError("set COSIGN_PASSWORD, to an empty text if the key has none")
            run("cosign", "public-key", "--key", self.key)

    def write_public_key(self, file: Path) -> None:
        """Write the public key of the signatures; raises ``ReleaseError``."""
        run("cosign", "public-key", "--key", self.key, "--outfile", str(file))

    def push_chart(self, package: Path) -> str:
        """Push a packaged chart below ``charts``, and return its reference with digest.

        Raises:
            ReleaseError: helm fails or is missing, or prints no digest.

        """
        say(f"pushing {package.name}")
        target = f"{self.address}/charts"
        insecure = ["--plain-http"] if self.plain_http else []
        printed = run(
            find_helms(ROOT / "build")[0], "push", str(package), f"oci://{target}", *insecure
        )
        name = re.match(r"(.+?)-\d", package.name)
        digest = DIGEST.search(printed)
        if not name or not digest:
            raise ReleaseError(f"helm push printed no digest of {package.name}: {printed}")
        return f"{target}/{name[1]}@{digest[0]}"

    def attach(self, image: str, bill: Path) -> str:
        """Attach a bill of materials to an image, and return the reference of the referrer.

        A repeated call for the same commit attaches nothing new.

        Raises:
            ReleaseError: ORAS fails or is missing, or prints no digest.

        """
        say(f"attaching {bill.name} to {image}")
        created = git("show", "-s", "--format=%cI", "HEAD").decode().strip()
        options = ["--artifact-type", CYCLONEDX, "--annotation", f"{CREATED}={created}"]
        insecure = ["--plain-http"] if self.plain_http else []
        file = f"{bill.name}:{CYCLONEDX}"
        printed = run("oras", "attach", *options, *insecure, image, file, cwd=bill.parent)
        digest = re.search(rf"^Digest: ({DIGEST.pattern})$", printed, re.MULTILINE)
        if not digest:
            raise ReleaseError(f"oras attach printed no digest: {printed}")
        return f"{image.partition('@')[0]}@{digest[1]}"

    def sign(self, reference: str) -> None:
        """Sign what a reference with a digest names; of a manifest list also each image.

        Raises:
            ReleaseError: cosign fails or is missing.

        """
        say(f"signing {reference}")
        log = (
            []
            if self.has_transparency_log
            else ["--tlog-upload=false", "--use-signing-config=false"]
        )
        # cosign 2.6 and 3 read one or the other, by the request
        insecure = ["--allow-http-registry", "--allow-insecure-registry"] if self.plain_http else []
        run("cosign", "sign", "--yes", "--recursive", "--key", self.key, *log, *insecure, reference)
