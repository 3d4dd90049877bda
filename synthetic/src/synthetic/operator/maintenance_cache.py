"""Cluster-wide maintenance windows: one list and one watch for all monitors."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from synthetic.operator.api_client import FORBIDDEN, NOT_FOUND, ApiClient, ApiError
from synthetic.operator.label_selector import matches_labels
from synthetic.operator.maintenance import NO_WINDOWS, Windows, parse_windows
from synthetic.operator.monitor_cache import Labels
from synthetic.operator.resources import MAINTENANCE_KIND, MAINTENANCES, NAMESPACES, Object

NAME_LABEL = "kubernetes.io/metadata.name"  # the API server sets it on each namespace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClusterWindow:
    """A SyntheticMaintenance: its window, and what it selects."""

    windows: Windows
    selector: Object
    namespace_selector: Object

    @classmethod
    def of(cls, maintenance: Object, now: datetime) -> Self:
        """Parse one; an invalid window has no occurrence."""
        spec: Object = maintenance.get("spec") or {}
        origin = f"{MAINTENANCE_KIND} {maintenance['metadata']['name']}"
        parsed = parse_windows([("spec", spec)], now)
        named = tuple(replace(window, origin=origin) for window in parsed.windows)
        return cls(
            replace(parsed, windows=named),
            spec.get("selector") or {},
            spec.get("namespaceSelector") or {},
        )


class MaintenanceCache:
    """The SyntheticMaintenances by name, and the labels of namespaces for their selectors."""

    def __init__(self, api: ApiClient, clock: Callable[[], datetime]) -> None:
        """Start empty; ``loaded`` is set after the first refresh, ``changes`` counts events."""
        self._api = api
        self._clock = clock
        self._found: dict[str, ClusterWindow] = {}
        self._labels: dict[str, Labels] = {}
        self.changes = 0
        self.loaded = asyncio.Event()

    async def refresh(self) -> None:
        """List all; without their definition or the permission to read them there are none.

        Raises:
            ApiError: the API server is unavailable.

        """
        seen = -1
        while seen != self.changes:  # a list may lack what changes meanwhile
            seen = self.changes
            found = await self._list()
        now = self._clock()
        self._found = {each["metadata"]["name"]: ClusterWindow.of(each, now) for each in found}
        self._labels.clear()
        self.loaded.set()

    async def is_served(self) -> bool:
        """Return whether the API server has the kind and lets the operator read it."""
        return await self._list_or_none() is not None

    def upsert(self, maintenance: Object) -> ClusterWindow:
        """Add or replace one."""
        name, made = maintenance["metadata"]["name"], ClusterWindow.of(maintenance, self._clock())
        self.changes += made != self._found.get(name)
        self._found[name] = made
        return made

    def remove(self, name: str) -> None:
        """Remove one if it is present."""
        self.changes += name in self._found
        self._found.pop(name, None)

    def get(self, name: str) -> ClusterWindow | None:
        """Return one, or None if it does not exist."""
        return self._found.get(name)

    def names(self) -> list[str]:
        """Return the names of all."""
        return sorted(self._found)

    async def windows_of(self, monitor: Object) -> Windows:
        """Return the windows that select a monitor.

        Raises:
            ApiError: the labels of the namespace are needed, and the API server is unavailable.

        """
        labels = monitor["metadata"].get("labels") or {}
        found = [each for each in self._found.values() if matches_labels(each.selector, labels)]
        if any(each.namespace_selector for each in found):
            of_namespace = await self._namespace_labels(monitor["metadata"]["namespace"])
            found = [
                each for each in found if matches_labels(each.namespace_selector, of_namespace)
            ]
        windows = tuple(window for each in found for window in each.windows.windows)
        return Windows(windows) if windows else NO_WINDOWS

    async def _list(self) -> list[Object]:
        found = await self._list_or_none()
        return found if found is not None else []

    async def _list_or_none(self) -> list[Object] | None:
        try:
            return await self._api.list(MAINTENANCES, "")
        except ApiError as error:
            if error.status == FORBIDDEN and not self.loaded.is_set():
                log.warning("cluster-wide maintenance is ignored: %s", error.message)
            if error.status in {FORBIDDEN, NOT_FOUND}:
                return None
            raise

    async def _namespace_labels(self, name: str) -> Labels:
        if name not in self._labels:
            try:
                found = await self._api.get_metadata(NAMESPACES, "", name)
            except ApiError as error:
                if error.status != FORBIDDEN:
                    raise
                log.warning("the labels of the namespace %s are ignored: %s", name, error.message)
                found = None
            metadata = (found or {}).get("metadata") or {}
            self._labels[name] = {NAME_LABEL: name, **(metadata.get("labels") or {})}
        return self._labels[name]
