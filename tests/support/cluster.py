"""Client of the cluster that KUBECONFIG names, through kubectl and helm."""

import json
import os
import shutil
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.commands import run_command

CHART = "charts/cadastro"
RELEASE = "cadastro"
INGRESS_HOST = "INGRESS_HOST"
UNREACHABLE_FROM_PODS = f"skipped: pods may not resolve {INGRESS_HOST}"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
E2E_LABEL = "cadastro.dev/trial"  # marks the namespaces of these tests


def check_settings() -> None:
    """Exit with one sentence when a setting or a tool is missing."""
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
    """A namespace of the tests, with one release of the umbrella chart."""

    tag: str
    timeout: str = "5m"  # of installs and rollouts, in the notation of helm and kubectl
    values: Sequence[str] = ()  # NAME=VALUE, set in every install
    chart: Sequence[str] = (CHART,)  # with the options that it needs
    namespace: str = field(default_factory=lambda: f"cadastro-e2e-{uuid.uuid4().hex[:6]}")

    def exists(self) -> bool:
        """Return whether the namespace exists."""
        found = self.kubectl("get", "namespace", "-o", "name", namespaced=False).split()
        return f"namespace/{self.namespace}" in found

    def has_release(self) -> bool:
        """Return whether the release is installed."""
        return RELEASE in run_command("helm", "list", "-q", "-n", self.namespace).split()

    def make_namespace(self) -> None:
        """Create the namespace with the restricted Pod Security Standard."""
        self.kubectl("create", "namespace", self.namespace, namespaced=False)
        labels = (RESTRICTED, f"{E2E_LABEL}=true")
        self.kubectl("label", "namespace", self.namespace, *labels, namespaced=False)

    def remove_namespace(self, *, wait: bool = False) -> None:
        """Delete the namespace and everything in it."""
        waiting = f"--wait={str(wait).lower()}"
        self.kubectl("delete", "namespace", self.namespace, waiting, namespaced=False)

    @contextmanager
    def scratch_namespace(self, name: str) -> Iterator["Cluster"]:
        """Create another namespace, and delete it at the end of the block."""
        other = replace(self, namespace=f"{self.namespace}-{name}")
        other.make_namespace()
        try:
            yield other
        finally:
            other.remove_namespace(wait=True)

    def kubectl(self, *arguments: str, namespaced: bool = True) -> str:
        """Run kubectl, and return its output."""
        return run_command("kubectl", *(("-n", self.namespace) if namespaced else ()), *arguments)

    def helm(self, verb: str, *arguments: str, release: str = RELEASE, wait: str = "") -> str:
        """Run a helm command on a release, and return its output."""
        target = (release, *self.chart) if verb in {"install", "upgrade"} else (release,)
        waiting = ["--timeout", wait or self.timeout, *(() if verb == "test" else ("--wait",))]
        return run_command("helm", verb, *target, "-n", self.namespace, *waiting, *arguments)

    def install(
        self,
        verb: str = "install",
        release: str = RELEASE,
        wait: str = "",
        options: Sequence[str] = (),
        **values: str,
    ) -> str:
        """Install or upgrade a release of the umbrella chart."""
        settings = [*self.values, *(f"{name}={value}" for name, value in values.items())]
        sets = [f"--set={setting}" for setting in settings]
        arguments = [*self.images(), *self.ingress_host(), *sets, *options]
        return self.helm(verb, *arguments, release=release, wait=wait)

    def images(self) -> list[str]:
        """Return the helm options for the registry and the tag of the images."""
        values = {"registry": os.environ["REGISTRY"], "tag": self.tag}
        return [f"--set=global.image.{name}={value}" for name, value in values.items()]

    @property
    def is_reachable_from_pods(self) -> bool:
        """True if pods can use the URL of the ingress: they may not resolve INGRESS_HOST."""
        return not os.environ.get(INGRESS_HOST)

    def ingress_host(self) -> list[str]:
        """Return the helm options that set the host of the Ingress to INGRESS_HOST."""
        host = os.environ.get(INGRESS_HOST)
        return [f"--set=ingress.host={host}"] if host else []

    def template(self, release: str, chart: str, *options: str) -> str:
        """Return the rendered chart; of the cluster only the version is read."""
        version = json.loads(self.kubectl("version", "-o", "json", namespaced=False))
        version_option = ("--kube-version", version["serverVersion"]["gitVersion"])
        return run_command(
            "helm", "template", release, chart, "-n", self.namespace, *version_option, *options
        )

    def apply(self, manifests: str, *options: str, verb: str = "apply") -> str:
        """Apply or delete manifests, and return the output of kubectl."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(manifests)
            file.flush()
            return self.kubectl(verb, "-f", file.name, *options)

    def proxy_get(self, target: str, path: str) -> str:
        """Return the response of ``services/NAME:PORT`` or ``pods/NAME`` (API server proxy)."""
        url = f"/api/v1/namespaces/{self.namespace}/{target}/proxy{path}"
        return self.kubectl("get", "--raw", url, namespaced=False)

    def sql(self, database: str, query: str) -> str:
        """Run a query in a database of the release, and return its rows as text."""
        psql = ("psql", "-U", "postgres", "-d", database, "-tAc", query)
        return self.kubectl("exec", f"{RELEASE}-postgresql-0", "--", *psql).strip()

    def wait_for_rollouts(self, *names: str) -> None:
        """Wait until the rollouts of Deployments and StatefulSets are complete."""
        for name in names:
            self.kubectl("rollout", "status", name, f"--timeout={self.timeout}")

    def pods(self, service: str, phase: str = "") -> list[str]:
        """Return the pods of a service; with a phase, those in it that are not terminating."""
        labels = {"name": service, "component": "service", "instance": RELEASE}
        wanted = {f"app.kubernetes.io/{name}": value for name, value in labels.items()}.items()
        return [
            pod["metadata"]["name"]
            for pod in self.objects("pods")
            if wanted <= pod["metadata"].get("labels", {}).items()
            and (not phase or _is_in(pod, phase))
        ]

    def container_messages(self) -> list[str]:
        """Return the messages of waiting and terminated containers."""
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
        """Return the data of each Secret that the chart creates."""
        return {
            item["metadata"]["name"]: item.get("data", {})
            for item in self.objects("secrets")
            if item["type"] == "Opaque"
        }

    def restarts(self) -> Counter[str]:
        """Return the container restarts of each pod that no Job owns."""
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
        """Return INGRESS_URL, or the URL of INGRESS_HOST, of the Ingress or of a node."""
        host = os.environ.get(INGRESS_HOST)
        url = os.environ.get("INGRESS_URL") or (host and f"http://{host}")
        if url:
            return url.rstrip("/")
        for ingress in self.objects("ingress"):
            for point in ingress["status"].get("loadBalancer", {}).get("ingress", []):
                return f"http://{point.get('hostname') or point['ip']}"
        nodes = json.loads(self.kubectl("get", "nodes", "-o", "json", namespaced=False))["items"]
        addresses = {a["type"]: a["address"] for a in nodes[0]["status"]["addresses"]}
        return f"http://{addresses['InternalIP']}"


def _is_in(pod: dict[str, Any], phase: str) -> bool:
    return pod["status"]["phase"] == phase and "deletionTimestamp" not in pod["metadata"]
