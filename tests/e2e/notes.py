"""The commands in the NOTES of a chart: each of them must work unchanged."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.e2e.context import Context
from tests.support.cluster import RELEASE, UNREACHABLE_FROM_PODS, Cluster
from tests.support.commands import ROOT, run_command
from tests.support.ports import free_port
from tests.support.steps import StepFailed, check

PROGRAMS = ("kubectl ", "helm ", "curl ")
ADDRESS = "ADDRESS"  # the placeholder for the address of the Ingress
PORT = "8000"  # of a port-forward; replaced by a free one
NO_INGRESS = "--set=ingress.enabled=false,synthetic.target.url=http://x.example"


def check_notes(context: Context) -> str:
    """Run the commands in the NOTES of the release, and in those without an Ingress."""
    cluster = context.cluster
    if not cluster.is_reachable_from_pods:
        return UNREACHABLE_FROM_PODS
    cluster.install("upgrade", **{"test.url": context.url})
    count = run_notes(cluster, RELEASE, context.url)
    rendered = cluster.helm("upgrade", *cluster.images(), NO_INGRESS, "--dry-run=server")
    without = commands(rendered.partition("\nNOTES:\n")[2])
    check(any("port-forward" in command for command in without), f"no port-forward: {without}")
    return f"{count + _run_each(without, context.url)} commands work, a purchase among them"


def run_notes(cluster: Cluster, release: str, url: str) -> int:
    """Run each command in the NOTES of a release, and return their count.

    Raises:
        CommandError: a command failed; the message has the last lines of its output.
        StepFailed: there is no command, or a health operation does not report health.

    """
    notes = run_command("helm", "get", "notes", release, "-n", cluster.namespace)
    return _run_each(commands(notes), url)


def commands(notes: str) -> list[str]:
    """Return the lines of NOTES that start with one of the known programs."""
    lines = [line.strip() for line in notes.splitlines() if line.startswith("  ")]
    return [line for line in lines if line.startswith(PROGRAMS)]


def _run_each(commands: list[str], url: str) -> int:
    check(commands, "the NOTES contain no command")
    port = free_port()
    with ExitStack() as forwards:
        for command in commands:
            local = command.replace(f"http://{ADDRESS}", url).replace(f":{PORT}/", f":{port}/")
            words = shlex.split(local.replace(f" {PORT}", f" {port}:{PORT}"))
            if "port-forward" in words:
                forwards.enter_context(_port_forward(words))
                continue
            output = run_command(*words)
            check(words[0] != "curl" or "is healthy" in output, f"{command} answers {output!r}")
    return len(commands)


@contextmanager
def _port_forward(words: list[str]) -> Iterator[None]:
    """Run ``kubectl port-forward`` during the block."""
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "Forwarding from" not in line:
                raise StepFailed(f"{' '.join(words)} failed")
            yield
        finally:
            process.terminate()
