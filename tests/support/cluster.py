"""The cluster that KUBECONFIG names, through kubectl and helm."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHART = "charts/cadastro"
RELEASE = "cadastro"
INGRESS_HOST = "INGRESS_HOST"
NOT_TRIED = f"not tried: pods need not know {INGRESS_HOST}"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
TRIAL = "cadastro.dev/trial"  # the label of a namespace that a trial has made


class ClusterError(Exception):
    """A command on the cluster failed; the message has its last lines."""


def run(*command: str, environ: Mapping[str, str] | None = None, patience: float = 1800) -> str:
    """Run a command from the checkout's root, and return what it prints.

    Raises:
        ClusterError: it failed, or took longer than ``patience`` seconds.

    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        message = f"{' '.join(command)} took more than {patience:.0f} s"
        raise ClusterError(message) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "symbolic link" not in line]
        message = f"{' '.join(command)} failed:\n" + "\n".join(lines[-15:])
        raise ClusterError(message)
    return done.stdout


def check_settings() -> None:
    """End with one sentence when something that is needed is missing."""
    missing = [name for name in ("KUBECONFIG", "REGISTRY") if not os.environ.get(name)]
    if missing:
        sys.exit(
            f"e2e: set {' and '.join(missing)}: the cluster, and a registry that it pulls from"
        )
    tools = [tool for tool in ("kubectl", "helm") if shutil.which(tool) is None]
    if tools:
        sys.exit(f"e2e: {' and '.join(tools)} must be on the PATH")


@dataclass
class Cluster:
    """A namespace of our own, and one release of the umbrella chart in it."""

    tag: str
    patience: str = "5m"  # for what takes minutes, as helm and kubectl have it
    values: Sequence[str] = ()  # NAME=VALUE, for every install
    namespace: str = field(default_factory=lambda: f"cadastro-e2e-{uuid.uuid4().hex[:6]}")

    @property
    def repository(self) -> str:
        """Where the images are."""
        return f"{os.environ['REGISTRY']}/cadastro"

    def build(self) -> None:
        """Build the images and push them."""
        environ = {
            "CONTAINER_TOOL": container_tool(),
            "REPOSITORY": self.repository,
            "TAG": self.tag,
            "PUSH": "1",
            "TLS_VERIFY": tls_verify(),
        }
        run("scripts/images", environ=environ, patience=3600)

    def derive(self, image: str, tag: str, files: Mapping[str, str]) -> None:
        """Push an image that is another one of ours, and some files more, by their paths."""
        name = f"{self.repository}/{image}"
        with tempfile.TemporaryDirectory(prefix="cadastro-e2e-") as folder:
            for path, text in files.items():
                file = Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                file.chmod(0o644)
            (Path(folder) / "Dockerfile").write_text(f"FROM {name}:{self.tag}\nCOPY app /app\n")
            run(container_tool(), "build", "-q", "-t", f"{name}:{tag}", folder)
        tls = [] if container_tool() == "docker" else [f"--tls-verify={tls_verify()}"]
        run(container_tool(), "push", "-q", *tls, f"{name}:{tag}")

    def exists(self) -> bool:
        """Tell whether the namespace is there."""
        found = self.kubectl("get", "namespace", "-o", "name", namespaced=False).split()
        return f"namespace/{self.namespace}" in found

    def has_release(self) -> bool:
        """Tell whether the release is installed."""
        return RELEASE in run("helm", "list", "-q", "-n", self.namespace).split()

    def make_namespace(self) -> None:
        """Make the namespace, under the restricted Pod Security Standard."""
        self.kubectl("create", "namespace", self.namespace, namespaced=False)
        labels = (RESTRICTED, f"{TRIAL}=true")
        self.kubectl("label", "namespace", self.namespace, *labels, namespaced=False)

    def remove_namespace(self, *, wait: bool = False) -> None:
        """Remove it, with all that is in it."""
        gone = f"--wait={str(wait).lower()}"
        self.kubectl("delete", "namespace", self.namespace, gone, namespaced=False)

    @contextmanager
    def elsewhere(self, name: str) -> Iterator["Cluster"]:
        """Have another namespace beside this one, until the end of the ``with`` block."""
        other = replace(self, namespace=f"{self.namespace}-{name}")
        other.make_namespace()
        try:
            yield other
        finally:
            other.remove_namespace(wait=True)

    def kubectl(self, *arguments: str, namespaced: bool = True) -> str:
        """Run kubectl."""
        return run("kubectl", *(("-n", self.namespace) if namespaced else ()), *arguments)

    def helm(self, verb: str, *arguments: str, release: str = RELEASE, wait: str = "") -> str:
        """Run a helm command on a release."""
        target = (release, CHART) if verb in {"install", "upgrade"} else (release,)
        waiting = ["--timeout", wait or self.patience, *(() if verb == "test" else ("--wait",))]
        return run("helm", verb, *target, "-n", self.namespace, *waiting, *arguments)

    def install(
        self, verb: str = "install", release: str = RELEASE, wait: str = "", **values: str
    ) -> str:
        """Install or upgrade a release of the umbrella chart."""
        settings = [*self.values, *(f"{name}={value}" for name, value in values.items())]
        options = [f"--set={setting}" for setting in settings]
        given = [*self.images(), *self.address(), *options]
        return self.helm(verb, *given, release=release, wait=wait)

    def images(self) -> list[str]:
        """Return the options that say where the images are."""
        values = {"registry": os.environ["REGISTRY"], "tag": self.tag}
        return [f"--set=global.image.{name}={value}" for name, value in values.items()]

    @property
    def knows_the_url(self) -> bool:
        """Whether pods can call what users call: a name need not mean anything to them."""
        return not os.environ.get(INGRESS_HOST)

    def address(self) -> list[str]:
        """Return the options that give the release a name of its own, INGRESS_HOST."""
        host = os.environ.get(INGRESS_HOST)
        return [f"--set=ingress.host={host}"] if host else []

    def template(self, release: str, chart: str, *options: str) -> str:
        """Return what a chart makes, without looking at the cluster but for its version."""
        version = json.loads(self.kubectl("version", "-o", "json", namespaced=False))
        for_it = ("--kube-version", version["serverVersion"]["gitVersion"])
        return run("helm", "template", release, chart, "-n", self.namespace, *for_it, *options)

    def apply(self, manifests: str, *options: str, verb: str = "apply") -> str:
        """Apply manifests, or delete them."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(manifests)
            file.flush()
            return self.kubectl(verb, "-f", file.name, *options)

    def ask(self, whom: str, path: str) -> str:
        """Return what ``services/NAME:PORT`` or ``pods/NAME`` answers, through the API server."""
        where = f"/api/v1/namespaces/{self.namespace}/{whom}/proxy{path}"
        return self.kubectl("get", "--raw", where, namespaced=False)

    def sql(self, database: str, query: str) -> str:
        """Return the answer of one of the release's databases."""
        psql = ("psql", "-U", "postgres", "-d", database, "-tAc", query)
        return self.kubectl("exec", f"{RELEASE}-postgresql-0", "--", *psql).strip()

    def wait_for_rollouts(self, *names: str) -> None:
        """Wait until Deployments and StatefulSets are as they are wanted."""
        for name in names:
            self.kubectl("rollout", "status", name, f"--timeout={self.patience}")

    def pods(self, service: str, phase: str = "") -> list[str]:
        """Return the names of the pods that serve; with a phase those in it that are to stay."""
        labels = {"name": service, "component": "service", "instance": RELEASE}
        wanted = {f"app.kubernetes.io/{name}": value for name, value in labels.items()}.items()
        return [
            pod["metadata"]["name"]
            for pod in self.objects("pods")
            if wanted <= pod["metadata"].get("labels", {}).items()
            and (not phase or _is_in(pod, phase))
        ]

    def complaints(self) -> list[str]:
        """Return what is said of containers that wait or have ended."""
        return [
            state["message"]
            for pod in self.objects("pods")
            for kind in ("initContainerStatuses", "containerStatuses")
            for status in pod["status"].get(kind, [])
            for state in [*status["state"].values(), *status.get("lastState", {}).values()]
            if state.get("message")
        ]

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind in the namespace."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json"))["items"]
        return items

    def secrets(self) -> dict[str, dict[str, str]]:
        """Return what is in each Secret that the chart made."""
        return {
            item["metadata"]["name"]: item.get("data", {})
            for item in self.objects("secrets")
            if item["type"] == "Opaque"
        }

    def restarts(self) -> Counter[str]:
        """Return how often each pod that is to stay had a container restarted."""
        return Counter(
            {
                pod["metadata"]["uid"]: sum(
                    status["restartCount"] for status in pod["status"].get("containerStatuses", [])
                )
                for pod in self.objects("pods")
                if pod["metadata"].get("ownerReferences", [{}])[0].get("kind") != "Job"
            }
        )

    def url(self) -> str:
        """Return INGRESS_URL, or that of INGRESS_HOST, the Ingress or a node."""
        host = os.environ.get(INGRESS_HOST)
        given = os.environ.get("INGRESS_URL") or (host and f"http://{host}")
        if given:
            return given.rstrip("/")
        for ingress in self.objects("ingress"):
            for point in ingress["status"].get("loadBalancer", {}).get("ingress", []):
                return f"http://{point.get('hostname') or point['ip']}"
        nodes = json.loads(self.kubectl("get", "nodes", "-o", "json", namespaced=False))["items"]
        addresses = {a["type"]: a["address"] for a in nodes[0]["status"]["addresses"]}
        return f"http://{addresses['InternalIP']}"


def _is_in(pod: dict[str, Any], phase: str) -> bool:
    return pod["status"]["phase"] == phase and "deletionTimestamp" not in pod["metadata"]


@functools.cache
def container_tool() -> str:
    """Return CONTAINER_TOOL, or the first one that works here."""
    tools = ("docker", "podman", "buildah")
    return os.environ.get("CONTAINER_TOOL") or next(filter(_works, tools), "docker")


def tls_verify() -> str:
    """Return TLS_VERIFY: whether REGISTRY speaks HTTPS, which it need not."""
    return os.environ.get("TLS_VERIFY", "false")


def _works(tool: str) -> bool:
    """Tell whether a container tool is there and has what it needs, a daemon for instance."""
    if shutil.which(tool) is None:
        return False
    return subprocess.run([tool, "info"], capture_output=True, check=False).returncode == 0
