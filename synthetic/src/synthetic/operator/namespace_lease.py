"""Leases that give each namespace with monitors to one operator.

Two operators of one namespace would overwrite each other's CronJobs without end. The holder's
identity is the one of a release, so a new pod continues at once. Another operator that watches the
namespace writes itself into annotations of the Lease, from which the holder reports the conflict.
"""

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from synthetic.operator.api_client import CONFLICT, FORBIDDEN, NOT_FOUND, ApiClient, ApiError
from synthetic.operator.operator_metrics import CONFLICTS
from synthetic.operator.resources import GROUP, LEASES, Object

LEASE_NAME = "synthetic-operator"
RENEWALS = 3  # before a lease expires
CONTENDER, CONTENDER_UNTIL = f"{GROUP}/contender", f"{GROUP}/contender-until"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ownership:
    """The operators of a namespace, besides this one."""

    holder: str = ""  # another operator, which manages the namespace; empty if this one does
    contender: str = ""  # another operator that also watches the namespace of this holder


class NamespaceLeases:
    """The leases of one operator."""

    def __init__(self, api: ApiClient, identity: str, renew_seconds: float) -> None:
        """Hold leases as ``identity``, and renew each after ``renew_seconds``."""
        self._api = api
        self._identity = identity
        self._renew_seconds = renew_seconds
        self._lock = asyncio.Lock()
        self._checked: dict[str, tuple[float, Ownership]] = {}

    async def check(self, namespace: str) -> Ownership:
        """Acquire or renew a namespace's lease; return the other operators of the namespace.

        Without permissions on leases, the operator acts as their only holder.

        Raises:
            ApiError: the API server is unavailable.

        """
        async with self._lock:  # or concurrent reconciliations would conflict
            checked_at, ownership = self._checked.get(namespace, (-math.inf, Ownership()))
            if time.monotonic() - checked_at < self._renew_seconds:
                return ownership
            return await self._check(namespace)

    async def _check(self, namespace: str) -> Ownership:
        try:
            ownership = await self._acquire(namespace)
        except ApiError as error:
            if error.status not in {FORBIDDEN, NOT_FOUND}:
                raise
            ownership = Ownership()
        self._checked[namespace] = time.monotonic(), ownership
        CONFLICTS.labels(namespace).set(float(bool(ownership.holder)))
        if ownership.holder:
            message = "the operator %s already manages the namespace %s"
            log.warning(message, ownership.holder, namespace)
        return ownership

    async def _acquire(self, namespace: str) -> Ownership:
        lease = await self._api.get(LEASES, namespace, LEASE_NAME)
        if lease is None:
            metadata = {"name": LEASE_NAME, "namespace": namespace}
            created = await self._api.create(LEASES, {"metadata": metadata, "spec": self._spec()})
            if created is None:
                raise ApiError(CONFLICT, "another operator acquires the lease at the same time")
            return Ownership()
        holder = str(lease["spec"].get("holderIdentity") or "")
        age = -_seconds_until(lease["spec"].get("renewTime"))
        duration = lease["spec"].get("leaseDurationSeconds") or 0
        if holder not in {"", self._identity} and abs(age) <= duration:
            await self._announce(lease)
            return Ownership(holder=holder)
        # a young lease has been renewed by a pod before this one
        if holder != self._identity or abs(age) >= self._renew_seconds / 2:
            await self._api.replace(LEASES, {**lease, "spec": self._spec()})
        contender, _ = _contender(lease)
        return Ownership(contender="" if contender == self._identity else contender)

    async def _announce(self, lease: Object) -> None:
        """Write this operator into another one's lease, which is valid like an own lease."""
        contender, seconds = _contender(lease)
        is_known = seconds > self._renew_seconds * RENEWALS / 2
        if contender not in {"", self._identity} or (contender and is_known):
            return
        until = datetime.now(UTC) + timedelta(seconds=self._renew_seconds * RENEWALS)
        annotations = {CONTENDER: self._identity, CONTENDER_UNTIL: _timestamp(until)}
        metadata = lease["metadata"]
        metadata = {**metadata, "annotations": {**metadata.get("annotations", {}), **annotations}}
        try:
            await self._api.replace(LEASES, {**lease, "metadata": metadata})
        except ApiError as error:  # the holder renewed it meanwhile, or this one may only read
            if error.status not in {CONFLICT, FORBIDDEN, NOT_FOUND}:
                raise

    def _spec(self) -> Object:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._renew_seconds * RENEWALS),
            "renewTime": _timestamp(datetime.now(UTC)),
        }


def _contender(lease: Object) -> tuple[str, float]:
    """Return the operator in the annotations, and the seconds until they expire; or nothing."""
    annotations = lease["metadata"].get("annotations") or {}
    seconds = _seconds_until(annotations.get(CONTENDER_UNTIL))
    return (annotations.get(CONTENDER, ""), seconds) if seconds > 0 else ("", 0.0)


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _seconds_until(moment: object) -> float:
    """Return the seconds until a time, which are negative after it; -infinity if unreadable."""
    try:
        return (datetime.fromisoformat(str(moment)) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return -math.inf
