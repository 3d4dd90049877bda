"""Signals to the process of a probe, sent from outside its pod.

Within a pod, the kernel delivers no unhandled signal to the first process, not even SIGKILL.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import images
from tests.support.cluster import Cluster

NAME = "drill-signaller"
PRIVILEGED = "pod-security.kubernetes.io/enforce=privileged"  # for the node's process namespace
SEND = """
import os, pathlib, signal, sys
number, pod = signal.Signals[sys.argv[1]], sys.argv[2]

def is_target(process):
    try:
        group, command = (process / "cgroup").read_text(), (process / "cmdline").read_bytes()
    except OSError:  # it has exited
        return False
    return pod in group.replace("_", "-") and b"\\0probe\\0" in command

found = [each for each in pathlib.Path("/proc").glob("[0-9]*") if is_target(each)]
assert len(found) == 1, f"{len(found)} probes in {pod}"
os.kill(int(found[0].name), number)
"""

Send = Callable[[str, str], None]


@contextmanager
def signal_pod(cluster: Cluster) -> Iterator[Send]:
    """Run a pod in its node's process namespace; yield a function that signals the probe of a pod.

    Raises:
        CommandError: the cluster refuses such pods, or there is no probe.

    """
    with cluster.scratch_namespace("signals") as outside:
        outside.kubectl(
            "label", "namespace", outside.namespace, PRIVILEGED, "--overwrite", namespaced=False
        )

        def send(signal: str, name: str) -> None:
            pod = json.loads(cluster.kubectl("get", "pod", name, "-o", "json"))
            outside.kubectl(
                "exec", NAME, "--", "python", "-c", SEND, signal, pod["metadata"]["uid"]
            )

        outside.apply(json.dumps(_pod(cluster)))
        outside.kubectl("wait", f"pod/{NAME}", "--for=condition=Ready", "--timeout=60s")
        yield send


def _pod(cluster: Cluster) -> dict[str, Any]:
    """Return the pod; it has the user of the probe, which permits the signals."""
    container = {
        "name": "signaller",
        "image": f"{images.repository()}/synthetic:{cluster.tag}",
        "command": ["sleep", "infinity"],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "hostPID": True,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001},
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "spec": spec}
