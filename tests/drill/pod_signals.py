"""Signals to a probe's process, sent from outside of its pod.

From within, the first process of a pod hears no signal without a handler, not even SIGKILL.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.cluster import Cluster

NAME = "drill-signaller"
SEES_ALL = "pod-security.kubernetes.io/enforce=privileged"  # it shares the node's processes
SEND = """
import os, pathlib, signal, sys
number, pod = signal.Signals[sys.argv[1]], sys.argv[2]

def is_meant(process):
    try:
        group, command = (process / "cgroup").read_text(), (process / "cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False
    return pod in group.replace("_", "-") and b"\\0probe\\0" in command

found = [each for each in pathlib.Path("/proc").glob("[0-9]*") if is_meant(each)]
assert len(found) == 1, f"{len(found)} probes in {pod}"
os.kill(int(found[0].name), number)
"""

Send = Callable[[str, str], None]


@contextmanager
def signaller(cluster: Cluster) -> Iterator[Send]:
    """Have a pod that sees its node's processes; yield what sends a signal to a pod's probe.

    Raises:
        ClusterError: the cluster has no such pods, or the probe is not there.

    """
    with cluster.elsewhere("signals") as outside:
        outside.kubectl(
            "label", "namespace", outside.namespace, SEES_ALL, "--overwrite", namespaced=False
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
    """Return the pod: it runs as the probe's own user, who may send it signals."""
    container = {
        "name": "signaller",
        "image": f"{cluster.repository}/synthetic:{cluster.tag}",
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
