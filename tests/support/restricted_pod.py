"""Pods that the restricted Pod Security Standard admits."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.images import repository


def restricted_pod(
    name: str, labels: Mapping[str, str], tag: str, command: Sequence[str], ready_port: int
) -> dict[str, Any]:
    """Return a pod of the synthetic image, which is ready once ``ready_port`` is open."""
    container = {
        "name": "main",
        "image": f"{repository()}/synthetic:{tag}",
        "command": list(command),
        "readinessProbe": {"tcpSocket": {"port": ready_port}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the pod
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
