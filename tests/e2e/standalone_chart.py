"""The walk of charts/synthetic/README.md: a monitor of an API that is not Cadastro's.

The commands and the files are those of the page. The server of the books fails as the output of
the next command says.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.context import Context
from tests.support import readme_walk
from tests.support.cluster import Cluster
from tests.support.commands import ROOT, run_command
from tests.support.readme_walk import Command
from tests.support.restricted_pod import restricted_pod
from tests.support.steps import StepFailed, check

NAME, PORT, NAMESPACE, RELEASE = "library", 8080, "shop", "monitors"
CHART = "charts/synthetic"
FAULTS = {"http_status 500": "status", "read schema 200": "schema"}  # by the output of a run
COMMAND_TIMEOUT_SECONDS = 120.0

SERVER = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BOOK = {"id": 7, "title": "Dom Casmurro"}
FAULT = Path("/tmp/fault")


class Library(BaseHTTPRequestHandler):
    def do_GET(self):
        fault = FAULT.read_text() if FAULT.exists() and self.path != "/books" else ""
        book = BOOK | {"title": None} if fault == "schema" else BOOK
        body = json.dumps([book] if self.path == "/books" else book).encode()
        self.send_response(500 if fault == "status" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 8080), Library).serve_forever()
"""


def follow_readme(context: Context) -> str:
    """Follow the page in a namespace that denies all traffic; each output must be the page's."""
    page = readme_walk.synthetic_walk()
    commands = list(readme_walk.commands(page))
    shown = {fault for fault in FAULTS for each in commands if fault in "\n".join(each.output)}
    check(shown == FAULTS.keys(), f"the page shows only these failures: {shown}")
    with (
        context.cluster.scratch_namespace(NAME) as cluster,
        tempfile.TemporaryDirectory() as name,
    ):
        walk = _Walk(cluster, Path(name))
        walk.prepare(readme_walk.files(page))
        with uninstalled(cluster):
            for command in commands:
                walk.run(command)
    return f"{len(commands)} commands print what the page shows"


@contextmanager
def standalone_release(cluster: Cluster, *options: str) -> Iterator[None]:
    """Install the chart alone in a namespace, and uninstall it after the block."""
    with uninstalled(cluster):
        where = ("-n", cluster.namespace, *cluster.images())
        run_command("helm", "install", RELEASE, CHART, *where, *options, "--wait")
        yield


@contextmanager
def uninstalled(cluster: Cluster) -> Iterator[None]:
    """Uninstall the release after the block: its cluster-wide roles are in no namespace."""
    try:
        yield
    finally:
        run_command("helm", "uninstall", RELEASE, "-n", cluster.namespace, "--ignore-not-found")


class _Walk:
    """A reader in a folder of their own, with the namespace in their kubeconfig."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self._fault = ""
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(run_command("kubectl", "config", "view", "--raw", "--flatten"))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._environ = {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}
        self._shell(f"kubectl config set-context --current --namespace {cluster.namespace}")

    def prepare(self, files: dict[str, str]) -> None:
        """Write the files of the page, and start the API."""
        (self._folder / "charts").symlink_to(ROOT / "charts")
        for name, text in files.items():
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        items = _api(self._cluster.tag)
        self._cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        self._cluster.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")

    def run(self, command: Command) -> None:
        """Run a command; raises ``StepFailed`` if it prints something else than the page."""
        expected = Command(command.text, tuple(map(self._adapted, command.output)))
        self._break("\n".join(command.output))
        done = self._shell(self._adapted(command.text))
        line = expected.missing_line(done.stdout)
        if line or (done.returncode and not command.output):
            missing = f" without {line!r}" if line else ""
            raise StepFailed(f"{command.text} prints{missing}:\n{done.stdout}")

    def _adapted(self, text: str) -> str:
        """Return a text of the page with the images and the namespace of this run."""
        for name, value in {
            "REGISTRY": os.environ["REGISTRY"],
            "tag=1.0.0": f"tag={self._cluster.tag}",
            f"{NAMESPACE}/": f"{self._cluster.namespace}/",
        }.items():
            text = text.replace(name, value)
        return text

    def _break(self, output: str) -> None:
        """Give the API the fault that a run is to report, or none for a run that is to pass."""
        fault = next((FAULTS[text] for text in FAULTS if text in output), "")
        if (fault or " passed" in output) and fault != self._fault:
            script = f"import pathlib; pathlib.Path('/tmp/fault').write_text('{fault}')"
            self._cluster.kubectl("exec", NAME, "--", "python", "-c", script)
            self._fault = fault

    def _shell(self, command: str) -> subprocess.CompletedProcess[str]:
        shell = ["bash", "-c", command]
        return subprocess.run(
            shell,
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_SECONDS,
        )


def _api(tag: str) -> list[dict[str, object]]:
    """Return the API of the page, and the policies of a namespace that denies all traffic."""
    labels = {"app": NAME}
    pod = restricted_pod(NAME, labels, tag, ("python", "-c", SERVER), PORT)
    service = {"selector": labels, "ports": [{"port": PORT}]}
    probes = {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "probe"}}}
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    admit = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [probes], "ports": [{"port": PORT}]}],
    }
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return [
        {**policy, "metadata": {"name": "deny-all"}, "spec": deny},
        {**policy, "metadata": {"name": NAME}, "spec": admit},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": service},
        pod,
    ]
