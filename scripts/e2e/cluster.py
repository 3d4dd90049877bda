"""The cluster that KUBECONFIG names, through kubectl and helm."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHART = "charts/cadastro"
RELEASE = "cadastro"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


class ClusterError(Exception):
    """A command on the cluster failed; the message has its last lines."""


def run(*command: str, environ: Mapping[str, str] | None = None, patience: float = 600) -> str:
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
    namespace: str = field(default_factory=lambda: f"cadastro-e2e-{uuid.uuid4().hex[:6]}")

    @property
    def repository(self) -> str:
        """Where the images are."""
        return f"{os.environ['REGISTRY']}/cadastro"

    def build(self) -> None:
        """Build the images and push them."""
        tool = os.environ.get("CONTAINER_TOOL") or next(
            (tool for tool in ("docker", "podman", "buildah") if _works(tool)), "docker"
        )
        environ = {
            "CONTAINER_TOOL": tool,
            "REPOSITORY": self.repository,
            "TAG": self.tag,
            "PUSH": "1",
            "TLS_VERIFY": os.environ.get("TLS_VERIFY", "false"),
        }
        run("scripts/images", environ=environ, patience=1200)

    def make_namespace(self) -> None:
        """Make the namespace, under the restricted Pod Security Standard."""
        self.kubectl("create", "namespace", self.namespace, namespaced=False)
        self.kubectl("label", "namespace", self.namespace, RESTRICTED, namespaced=False)

    def remove_namespace(self) -> None:
        """Remove it, with all that is in it."""
        self.kubectl("delete", "namespace", self.namespace, "--wait=false", namespaced=False)

    def kubectl(self, *arguments: str, namespaced: bool = True) -> str:
        """Run kubectl."""
        return run("kubectl", *(("-n", self.namespace) if namespaced else ()), *arguments)

    def helm(self, verb: str, *arguments: str, wait: str = "5m") -> str:
        """Run a helm command on the release."""
        target = (RELEASE, CHART) if verb in {"install", "upgrade"} else (RELEASE,)
        waiting = ("--wait", "--timeout", wait)
        return run("helm", verb, *target, "-n", self.namespace, *waiting, *arguments)

    def install(self, verb: str = "install", **values: str) -> str:
        """Install or upgrade the release."""
        images = {"global.image.registry": os.environ["REGISTRY"], "global.image.tag": self.tag}
        options = [f"--set={name}={value}" for name, value in {**images, **values}.items()]
        return self.helm(verb, *options)

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

    def restarts(self) -> int:
        """Return how often containers of the release were restarted."""
        return sum(
            status["restartCount"]
            for pod in self.objects("pods")
            for status in pod["status"].get("containerStatuses", [])
        )

    def url(self) -> str:
        """Return INGRESS_URL, or the address that the Ingress or a node tells."""
        given = os.environ.get("INGRESS_URL")
        if given:
            return given.rstrip("/")
        for ingress in self.objects("ingress"):
            for point in ingress["status"].get("loadBalancer", {}).get("ingress", []):
                return f"http://{point.get('hostname') or point['ip']}"
        nodes = json.loads(self.kubectl("get", "nodes", "-o", "json", namespaced=False))["items"]
        addresses = {a["type"]: a["address"] for a in nodes[0]["status"]["addresses"]}
        return f"http://{addresses['InternalIP']}"


def _works(tool: str) -> bool:
    """Tell whether a container tool is there and has what it needs, a daemon for instance."""
    if shutil.which(tool) is None:
        return False
    return subprocess.run([tool, "info"], capture_output=True, check=False).returncode == 0
