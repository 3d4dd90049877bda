"""skaffold: deploys once, and deploys again while a file changes."""

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

from tests.e2e.context import Trial, check
from tests.e2e.lifecycle import wait_until_gone
from tests.support.cluster import ROOT, Cluster, ClusterError, container_tool, run, tls_verify

PROFILE = "--profile=buildah"  # it builds with any tool of ours
NEEDED = ("charts", "load", "openapi", "requirements", "robot", "scripts", "services", "synthetic")
CHANGED = "services/clients/src/clients/handlers/clients.py"
HEALTH, WELL = "/clients/health", "return healths.healthy()"
NEWS = "changed while it was watched"
PATIENCE = 600.0  # seconds for a build and a deployment
PAUSE = 1.0


def deployed(trial: Trial) -> str:
    """Deploy with ``skaffold run``, buy, and delete; then change a line under ``skaffold dev``."""
    if shutil.which("skaffold") is None:
        return "not tried: no skaffold on the PATH"
    trial.cluster.helm("uninstall")  # both would answer at the same address
    with trial.cluster.elsewhere("skaffold") as second:
        began = time.monotonic()
        run(*_skaffold(second, "run"), environ=_environ(), patience=PATIENCE)
        Trial(second, trial.rounds, trial.url).buy()
        ran = time.monotonic() - began
        run(*_skaffold(second, "delete"), environ=_environ(), patience=PATIENCE)
        wait_until_gone(second)
        took = _watched(second, trial.url)
        wait_until_gone(second)
    return f"run to a purchase {ran:.0f} s; dev shows a change after {took:.0f} s; nothing is left"


def _watched(cluster: Cluster, url: str) -> float:
    """Return how many seconds pass between a change of a file and an answer that has it."""
    with tempfile.TemporaryDirectory(prefix="cadastro-skaffold-") as folder:
        tree = Path(folder)
        for name in NEEDED:
            shutil.copytree(ROOT / name, tree / name, symlinks=True)
        shutil.copy2(ROOT / "skaffold.yaml", tree)
        file = tree / CHANGED
        with _developing(cluster, tree) as process:
            _wait_for(url, "is healthy", process)
            text = file.read_text()
            check(WELL in text, f"{CHANGED} has no {WELL!r} to change")
            file.write_text(text.replace(WELL, f'return {{"msg": "{NEWS}"}}'))
            began = time.monotonic()
            _wait_for(url, NEWS, process)
            return time.monotonic() - began


@contextlib.contextmanager
def _developing(cluster: Cluster, tree: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``skaffold dev`` in a tree, and end it as Ctrl-C does."""
    with (tree / "skaffold.log").open("wb") as log:
        process = subprocess.Popen(
            [*_skaffold(cluster, "dev"), "--port-forward=off"],  # ports here may be taken
            cwd=tree,
            env={**os.environ, **_environ()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        except ClusterError as error:
            said = (tree / "skaffold.log").read_text(errors="replace")
            message = f"{error}:\n{said[-2000:]}"
            raise ClusterError(message) from None
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


def _wait_for(url: str, text: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in _answer(url):
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"skaffold dev: {HEALTH} does not say {text!r}"
            raise ClusterError(message)
        time.sleep(PAUSE)


def _answer(url: str) -> str:
    try:
        return httpx.get(f"{url}{HEALTH}", timeout=5).text
    except httpx.HTTPError:
        return ""


def _skaffold(cluster: Cluster, verb: str) -> list[str]:
    return ["skaffold", verb, PROFILE, f"--namespace={cluster.namespace}"]


def _environ() -> dict[str, str]:
    registry = os.environ["REGISTRY"]
    insecure = {"SKAFFOLD_INSECURE_REGISTRY": registry} if tls_verify() == "false" else {}
    return {"CONTAINER_TOOL": container_tool(), "SKAFFOLD_DEFAULT_REPO": registry, **insecure}
