"""The status of a SyntheticMaintenance: whether it is valid, and whether it is in force."""

from collections.abc import Callable
from datetime import datetime

from synthetic.operator.api_client import FORBIDDEN, NOT_FOUND, ApiClient, ApiError
from synthetic.operator.conditions import Condition, condition, merge_conditions
from synthetic.operator.maintenance import Windows
from synthetic.operator.maintenance_cache import ClusterWindow
from synthetic.operator.resources import MAINTENANCES, Object
from synthetic.operator.spec import READ_ERRORS
from synthetic.operator.status_schema import TIMESTAMP_FORMAT


class MaintenanceReconciler:
    """Writes the status of SyntheticMaintenances."""

    def __init__(self, api: ApiClient, clock: Callable[[], datetime]) -> None:
        """Use the cluster of ``api``.

        The cache of the windows is the watch's alone: that enqueues the monitors of each change.
        """
        self._api = api
        self._clock = clock

    async def reconcile(self, name: str) -> float | None:
        """Write the status; return the seconds until it changes.

        Raises:
            ApiError: the API server is unavailable; retry later.

        """
        found = await self._api.get(MAINTENANCES, "", name)
        if found is None:
            return None
        now = self._clock()
        windows = ClusterWindow.of(found, now).windows
        status = build_status(found, windows, now)
        if _differs(found.get("status") or {}, status):
            await self._write({**found, "status": status})
        change = windows.next_change(now)
        return (change - now).total_seconds() if change else None

    async def _write(self, maintenance: Object) -> None:
        try:
            await self._api.replace(MAINTENANCES, maintenance, "status")
        except ApiError as error:
            if error.status not in {FORBIDDEN, NOT_FOUND}:  # others may write it
                raise


def build_status(maintenance: Object, windows: Windows, now: datetime) -> Object:
    """Return the status of a SyntheticMaintenance."""
    active = windows.at(now)
    if windows.problem:
        ready = Condition("Ready", "False", windows.problem.reason, str(windows.problem))
    else:
        ready = Condition("Ready", "True", "Valid", "The window is valid")
    if active:
        until = active.until.strftime(TIMESTAMP_FORMAT)
        in_force = Condition("Active", "True", "InWindow", f"{active.reason} (until {until})")
    else:
        in_force = Condition("Active", "False", "OutsideWindow", "The window is not in force")
    generation = maintenance["metadata"]["generation"]
    old: Object = maintenance.get("status") or {}
    try:
        conditions = merge_conditions(old, [ready, in_force], generation, now)
    except READ_ERRORS:  # any client with access can have written the status
        conditions = merge_conditions({}, [ready, in_force], generation, now)
    return {"conditions": conditions}


def _differs(old: Object, new: Object) -> bool:
    """Compare without messages: operators of several releases may word them differently."""
    try:
        return any(
            condition(old, each["type"]).get(key) != each[key]
            for each in new["conditions"]
            for key in ("status", "observedGeneration")
        )
    except READ_ERRORS:
        return True
