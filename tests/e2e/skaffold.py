"""Deployments by skaffold: once, and again after a changed file."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.e2e.context import Context
from tests.e2e.lifecycle import wait_until_deleted
from tests.support.cluster import Cluster
from tests.support.commands import ROOT, run_command
from tests.support.images import container_tool, tls_verify
from tests.support.steps import StepFailed, check

PROFILE = "--profile=buildah"  # it builds with docker, podman or buildah
NEEDED = ("charts", "load", "openapi", "requirements", "robot", "scripts", "services", "synthetic")
CHANGED = "services/clients/src/clients/handlers/clients.py"
HEALTH_PATH, OLD = "/clients/health", "return healthy()"
NEW_MESSAGE = "changed under skaffold dev"
TIMEOUT_SECONDS = 600.0  # for a build and a deployment
POLL_SECONDS = 1.0


def deploy(context: Context) -> str:
    """Deploy with ``skaffold run``, buy, and delete; then change a line under ``skaffold dev``."""
    if shutil.which("skaffold") is None:
        return "skipped: no skaffold on the PATH"
    context.cluster.helm("uninstall")  # both releases would serve the same host
    with context.cluster.scratch_namespace("skaffold") as second:
        started = time.monotonic()
        run_command(*_skaffold(second, "run"), environ=_environ(), timeout=TIMEOUT_SECONDS)
        Context(second, context.repetitions, context.url).buy()
        ran = time.monotonic() - started
        run_command(*_skaffold(second, "delete"), environ=_environ(), timeout=TIMEOUT_SECONDS)
        wait_until_deleted(second)
        took = _change_under_dev(second, context.url)
        wait_until_deleted(second)
    return f"run to a purchase {ran:.0f} s; dev shows a change after {took:.0f} s; nothing is left"


def _change_under_dev(cluster: Cluster, url: str) -> float:
    """Return the seconds from a change of a file to a response that shows it."""
    with tempfile.TemporaryDirectory(prefix="cadastro-skaffold-") as folder:
        tree = Path(folder)
        for name in NEEDED:
            shutil.copytree(ROOT / name, tree / name, symlinks=True)
        shutil.copy2(ROOT / "skaffold.yaml", tree)
        file = tree / CHANGED
        with _skaffold_dev(cluster, tree) as process:
            _wait_for(url, "is healthy", process)
            text = file.read_text()
            check(OLD in text, f"{CHANGED} has no {OLD!r} to change")
            file.write_text(text.replace(OLD, f'return {{"msg": "{NEW_MESSAGE}"}}'))
            started = time.monotonic()
            _wait_for(url, NEW_MESSAGE, process)
            return time.monotonic() - started


@contextlib.contextmanager
def _skaffold_dev(cluster: Cluster, tree: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``skaffold dev`` in a tree during the block; end it with SIGINT."""
    with (tree / "skaffold.log").open("wb") as log:
        process = subprocess.Popen(
            [*_skaffold(cluster, "dev"), "--port-forward=off"],  # the local ports may be in use
            cwd=tree,
            env={**os.environ, **_environ()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        except StepFailed as error:
            output = (tree / "skaffold.log").read_text(errors="replace")
            raise StepFailed(f"{error}:\n{output[-2000:]}") from None
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(TIMEOUT_SECONDS)
            finally:
                process.kill()


def _wait_for(url: str, text: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while text not in _response(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StepFailed(f"skaffold dev: {HEALTH_PATH} does not return {text!r}")
        time.sleep(POLL_SECONDS)


def _response(url: str) -> str:
    try:
        return httpx.get(f"{url}{HEALTH_PATH}", timeout=5).text
    except httpx.HTTPError:
        return ""


def _skaffold(cluster: Cluster, verb: str) -> list[str]:
    return ["skaffold", verb, PROFILE, f"--namespace={cluster.namespace}"]


def _environ() -> dict[str, str]:
    registry = os.environ["REGISTRY"]
    insecure = {"SKAFFOLD_INSECURE_REGISTRY": registry} if tls_verify() == "false" else {}
    return {"CONTAINER_TOOL": container_tool(), "SKAFFOLD_DEFAULT_REPO": registry, **insecure}
