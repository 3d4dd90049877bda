"""Leases that give each namespace with monitors to one operator.

Two operators of one namespace would overwrite each other's CronJobs without end. The holder's
identity is the one of a release, so a new pod continues at once.
"""

import asyncio
import logging
import math
import time
from datetime import UTC, datetime

from synthetic.operator.api_client import CONFLICT, FORBIDDEN, NOT_FOUND, ApiClient, ApiError
from synthetic.operator.operator_metrics import CONFLICTS
from synthetic.operator.resources import LEASES, Object

LEASE_NAME = "synthetic-operator"
RENEWALS = 3  # before a lease expires

log = logging.getLogger(__name__)


class NamespaceLeases:
    """The leases of one operator."""

    def __init__(self, api: ApiClient, identity: str, renew_seconds: float) -> None:
        """Hold leases as ``identity``, and renew each after ``renew_seconds``."""
        self._api = api
        self._identity = identity
        self._renew_seconds = renew_seconds
        self._lock = asyncio.Lock()
        self._checked: dict[str, tuple[float, str]] = {}

    async def other_holder(self, namespace: str) -> str:
        """Acquire or renew a namespace's lease; return its holder if that is another operator.

        Without permissions on leases, the operator acts as their only holder.

        Raises:
            ApiError: the API server is unavailable.

        """
        async with self._lock:  # or concurrent reconciliations would conflict
            checked_at, holder = self._checked.get(namespace, (-math.inf, ""))
            if time.monotonic() - checked_at < self._renew_seconds:
                return holder
            return await self._check(namespace)

    async def _check(self, namespace: str) -> str:
        try:
            holder = await self._acquire(namespace)
        except ApiError as error:
            if error.status not in {FORBIDDEN, NOT_FOUND}:
                raise
            holder = ""
        self._checked[namespace] = time.monotonic(), holder
        CONFLICTS.labels(namespace).set(float(bool(holder)))
        if holder:
            log.warning("the operator %s already manages the namespace %s", holder, namespace)
        return holder

    async def _acquire(self, namespace: str) -> str:
        lease = await self._api.get(LEASES, namespace, LEASE_NAME)
        if lease is None:
            metadata = {"name": LEASE_NAME, "namespace": namespace}
            created = await self._api.create(LEASES, {"metadata": metadata, "spec": self._spec()})
            if created is None:
                raise ApiError(CONFLICT, "another operator acquires the lease at the same time")
            return ""
        holder = str(lease["spec"].get("holderIdentity") or "")
        age = _age(lease["spec"])
        if holder == self._identity and age < self._renew_seconds / 2:
            return ""  # a pod before this one has renewed it
        duration = lease["spec"].get("leaseDurationSeconds") or 0
        if holder not in {"", self._identity} and age <= duration:
            return holder
        await self._api.replace(LEASES, {**lease, "spec": self._spec()})
        return ""

    def _spec(self) -> Object:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._renew_seconds * RENEWALS),
            "renewTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        }


def _age(spec: Object) -> float:
    """Return the seconds since a renewal; infinity if its time is unreadable."""
    try:
        renewed = datetime.fromisoformat(spec["renewTime"])
        return abs((datetime.now(UTC) - renewed).total_seconds())
    except (KeyError, TypeError, ValueError, OverflowError):
        return math.inf
