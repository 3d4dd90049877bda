"""Values of a monitor in the charts, with changes."""

import json
from typing import Any

BASE: dict[str, Any] = {
    "journey": "own",
    "interval": "5m",
    "target": {"url": "https://shop.example"},
}
WINDOW = {"reason": "Backup", "schedule": "0 2 * * SUN", "duration": "2h"}
SINGLE = {"reason": "Move", "start": "2026-03-01T22:00:00Z", "end": "2026-03-01T23:00:00Z"}
URL_FROM = {"secretKeyRef": {"name": "chat", "key": "url"}}


def scheduled(schedule: str) -> dict[str, Any]:
    """Return a change to a schedule."""
    return {"interval": None, "schedule": schedule}


def window(**changes: Any) -> dict[str, Any]:
    """Return a recurring window of maintenance with changes; None removes a field."""
    return {"maintenance": [changed(WINDOW, changes)]}


def receiver(**changes: Any) -> dict[str, Any]:
    """Return a receiver of notifications with changes."""
    hook = {"name": "chat", "webhook": {"url": "https://hooks.example/x"}}
    return {"notify": [changed(hook, changes)]}


def changed(given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a map with changes; None removes a field."""
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def options(chart: str, changes: dict[str, Any], name: str = "m") -> tuple[str, ...]:
    """Return the options for one monitor with changes."""
    prefix = "synthetic." if chart == "cadastro" else ""
    monitors = json.dumps({name: changed(BASE, changes)})
    return ("--set-json", f"{prefix}monitors={monitors}")
