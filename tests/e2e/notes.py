"""The commands that a chart's NOTES tell people: each must work as it stands there."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.e2e.context import Trial, check
from tests.support.cluster import NOT_TRIED, RELEASE, ROOT, Cluster, ClusterError, run
from tests.support.ports import free_port

PROGRAMS = ("kubectl ", "helm ", "curl ")
ADDRESS = "ADDRESS"  # what people put in place of the Ingress's own
PORT = "8000"  # of a tunnel; here it may be taken, and another one does
NO_INGRESS = "--set=ingress.enabled=false"


def followed(trial: Trial) -> str:
    """Run what the release's NOTES tell, and what they would tell of one without an Ingress."""
    cluster = trial.cluster
    if not cluster.knows_the_url:
        return NOT_TRIED
    cluster.install("upgrade", **{"test.url": trial.url})
    ran = follow(cluster, RELEASE, trial.url)
    tried = cluster.helm("upgrade", *cluster.images(), NO_INGRESS, "--dry-run=server")
    without = commands(tried.partition("\nNOTES:\n")[2])
    check(any("port-forward" in command for command in without), f"no way in: {without}")
    return f"{ran + _run_each(without, trial.url)} commands work, a purchase among them"


def follow(cluster: Cluster, release: str, url: str) -> int:
    """Run each command of a release's NOTES, and return how many there are.

    Raises:
        ClusterError: a command failed; the message has its last lines.
        MissError: there is none, or a health operation does not say that it is well.

    """
    notes = run("helm", "get", "notes", release, "-n", cluster.namespace)
    return _run_each(commands(notes), url)


def commands(notes: str) -> list[str]:
    """Return the lines of NOTES that begin with a program that people have."""
    lines = [line.strip() for line in notes.splitlines() if line.startswith("  ")]
    return [line for line in lines if line.startswith(PROGRAMS)]


def _run_each(told: list[str], url: str) -> int:
    check(told, "the NOTES tell no command")
    port = free_port()
    with ExitStack() as tunnels:
        for command in told:
            here = command.replace(f"http://{ADDRESS}", url).replace(f":{PORT}/", f":{port}/")
            words = shlex.split(here.replace(f" {PORT}", f" {port}:{PORT}"))
            if "port-forward" in words:
                tunnels.enter_context(_tunnel(words))
                continue
            said = run(*words)
            check(words[0] != "curl" or "is healthy" in said, f"{command} answers {said!r}")
    return len(told)


@contextmanager
def _tunnel(words: list[str]) -> Iterator[None]:
    """Keep ``kubectl port-forward`` running, once it forwards."""
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "Forwarding from" not in line:
                message = f"{' '.join(words)} failed"
                raise ClusterError(message)
            yield
        finally:
            process.terminate()
