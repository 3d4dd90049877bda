"""SeaweedFS, a server of the S3 API, from a wheel: a process of its own on free ports."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from servicekit.testing import wait_until
from tests.support.ports import free_port
from tests.support.synthetic.authority import Authority

KEY_ID, SECRET_KEY = "cadastro", "not-a-real-secret"
START_TIMEOUT_SECONDS = 60
PROGRAM = Path(sys.executable).with_name("weed")
OPTIONS = ("-s3", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0")


@dataclass(frozen=True)
class S3Server:
    """The endpoint of a running server, which creates a bucket at its first write."""

    url: str
    environ: dict[str, str]  # the credentials


@contextmanager
def running_s3(folder: Path, authority: Authority | None = None) -> Iterator[S3Server]:
    """Run a server with its data in a folder until the block ends.

    With an authority, which issues a certificate for it, it uses HTTPS.
    """
    folder.mkdir(exist_ok=True)
    config = folder / "identities.json"
    config.write_text(identities())
    port = free_port()
    options = [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={port}"]
    options += [f"-s3.config={config}", "-master.volumeSizeLimitMB=64"]
    options += [f"-{name}.port={free_port()}" for name in ("master", "volume", "filer")]
    options += ["-s3.localSocket=s3.sock", "-filer.localSocket=filer.sock"]  # not in /tmp
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    options += [f"-{name}.port.grpc={port}" for name, port in ports.items()]
    if authority:
        certificate, key = authority.issue("s3")
        options += [f"-s3.cert.file={certificate}", f"-s3.key.file={key}"]
    url = f"{'https' if authority else 'http'}://127.0.0.1:{port}"
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "-logtostderr", "server", *OPTIONS, *options],
            cwd=folder,
            env={"HOME": str(folder), "TMPDIR": str(folder)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: _is_ready(url, authority), "S3 to start", START_TIMEOUT_SECONDS)
        yield S3Server(url, {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY})
    finally:
        process.kill()  # it takes ten seconds to end in order
        process.wait()
        for name, port in ports.items():  # its sockets are in /tmp by any option
            Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108


def identities() -> str:
    """Return the configuration of the server's only account."""
    credentials = [{"accessKey": KEY_ID, "secretKey": SECRET_KEY}]
    account = {"name": "cadastro", "credentials": credentials, "actions": ["Admin"]}
    return json.dumps({"identities": [account]})


def _is_ready(url: str, authority: Authority | None) -> bool:
    """Return whether the server responds; a request without credentials is then forbidden."""
    context = ssl.create_default_context(cafile=authority.certificate if authority else None)
    try:
        return httpx.get(url, verify=context).status_code == httpx.codes.FORBIDDEN
    except httpx.HTTPError:
        return False
