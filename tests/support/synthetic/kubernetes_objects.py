"""Builders of monitors, Jobs, pods and termination messages."""

import json
from typing import Any

UID = "0d1c8f7e-3a52-4a5e-9d0e-6a1b2c3d4e5f"


def monitor(
    name: str = "shop", status: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """Return a monitor; ``spec`` overrides fields of a minimal one."""
    timing = {} if "schedule" in spec else {"interval": "5m"}
    return {
        "apiVersion": "monitoring.cadastro.dev/v1alpha1",
        "kind": "SyntheticMonitor",
        "metadata": {
            "name": name,
            "namespace": "here",
            "uid": UID,
            "generation": 1,
            "creationTimestamp": "2026-01-31T09:00:00Z",
        },
        "spec": {
            "journey": "clients-crud",
            "target": {"url": "http://shop.example"},
            **timing,
            **spec,
        },
        "status": status or {},
    }


def job(
    uid: str = "job-1",
    *,
    ended: str = "Complete",
    at: str = "2026-01-31T10:00:05Z",
    reason: str = "",
) -> dict[str, Any]:
    """Return a finished Job."""
    return {
        "metadata": {"name": uid, "uid": uid, "creationTimestamp": "2026-01-31T10:00:00Z"},
        "status": {
            "startTime": "2026-01-31T10:00:00Z",
            **({"completionTime": at} if ended == "Complete" else {}),
            "conditions": [
                {"type": ended, "status": "True", "reason": reason, "lastTransitionTime": at}
            ],
        },
    }


def pod(message: object = "", *, code: int = 0, **more: Any) -> dict[str, Any]:
    """Return a pod with a terminated probe."""
    text = message if isinstance(message, str) else json.dumps(message)
    terminated = {
        "exitCode": code,
        "message": text,
        "startedAt": "2026-01-31T10:00:01Z",
        **more.pop("terminated", {}),
    }
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-01-31T10:00:00Z"},
        "status": {
            "containerStatuses": [{"name": "probe", "state": {"terminated": terminated}}],
            **more,
        },
    }


def termination_message(result: str, **more: Any) -> dict[str, Any]:
    """Return a termination message."""
    return {
        "v": 1,
        "journey": "clients-crud",
        "result": result,
        "step": "createClient",
        "reason": "",
        "status": 201,
        "attempt": 1,
        "durationMs": 812,
        "traceId": "0" * 31 + "1",
        "startedAt": "2026-01-31T10:00:00Z",
        "steps": [],
        **more,
    }
