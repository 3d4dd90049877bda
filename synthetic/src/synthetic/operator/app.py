"""The operator's event loop: kopf's watches, workers of the queue, and a periodic resync."""

import asyncio
import logging
import signal
import time
from datetime import UTC, datetime
from typing import NamedTuple

from synthetic.operator import watch
from synthetic.operator.api_client import ANY_JSON, CONFLICT, METADATA_LIST, ApiClient, ApiError
from synthetic.operator.maintenance_cache import MaintenanceCache
from synthetic.operator.maintenance_status import MaintenanceReconciler
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.namespace_lease import NamespaceLeases
from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.notifier import Notifier
from synthetic.operator.operator_metrics import LAST_RESYNC, QUEUE_DEPTH, RECONCILES
from synthetic.operator.reconcile import Reconciler
from synthetic.operator.release_monitors import sync
from synthetic.operator.resources import MONITORS
from synthetic.operator.settings import Settings
from synthetic.operator.stored_status import read_status
from synthetic.operator.web import serve
from synthetic.operator.workqueue import WorkQueue

RECONCILE_TIMEOUT_SECONDS = 60.0  # for one monitor
RETRY_DELAY_SECONDS = 5.0  # after a failed resync
MISSED_RESYNCS = 3  # liveness fails after this number of missed resyncs

log = logging.getLogger(__name__)


class Reconcilers(NamedTuple):
    """The reconcilers that the workers of the queue call."""

    monitors: Reconciler
    maintenances: MaintenanceReconciler
    leases: NamespaceLeases


class Operator:
    """The operator's components in one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Create the queue and the cache without starting anything."""
        self._settings = settings
        self._queue: WorkQueue[Key] = WorkQueue()
        self._cache = MonitorCache()
        self._heartbeat = time.monotonic()
        self._synced = False

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        identity = f"{self._settings.namespace}/{self._settings.name}"
        async with (
            ApiClient() as api,
            NotificationSender(api, self._settings.notify_networks) as sender,
            serve(self._settings.port, self._cache, self, identity) as port,
        ):
            log.info("the status page is on port %s", port)
            leases = NamespaceLeases(api, identity, self._settings.resync_seconds)
            maintenances = MaintenanceCache(api, _now)
            notifier = Notifier(sender, self._queue.add, _now)
            reconcilers = Reconcilers(
                Reconciler(api, self._cache, maintenances, notifier, self._settings.image, _now),
                MaintenanceReconciler(api, _now),
                leases,
            )
            tasks = [asyncio.create_task(self._resync(api, maintenances))]
            tasks += [
                asyncio.create_task(self._work(reconcilers, maintenances.loaded))
                for _ in range(self._settings.workers)
            ]
            try:
                await self._watch(api, maintenances)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await notifier.close()

    @property
    def alive(self) -> bool:
        """True while resyncs take place, even if the API server is unavailable."""
        elapsed = time.monotonic() - self._heartbeat
        return elapsed < MISSED_RESYNCS * self._settings.resync_seconds + RECONCILE_TIMEOUT_SECONDS

    @property
    def ready(self) -> bool:
        """True once all monitors have been listed since the start."""
        return self._synced

    async def _watch(self, api: ApiClient, maintenances: MaintenanceCache) -> None:
        waiting = asyncio.create_task(self._wait_for_crd(api))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            return
        await watch.watch(self._settings, self._queue.add, self._cache, maintenances)

    async def _wait_for_crd(self, api: ApiClient) -> None:
        """Wait for the CRD: kopf discovers the watched kinds only at its start."""
        is_logged = False
        while True:
            try:
                if await api.has_resource(MONITORS):
                    return
                problem = "the CustomResourceDefinition does not exist yet"
            except ApiError as error:
                problem = str(error)
            if not is_logged:
                log.warning("waiting: %s", problem)
                is_logged = True
            await asyncio.sleep(2)

    async def _reconcile(self, reconcilers: Reconcilers, key: Key) -> float | None:
        """Reconcile a maintenance, or a monitor unless another operator manages its namespace."""
        if key[0] == watch.CLUSTER:
            return await reconcilers.maintenances.reconcile(key[1])
        ownership = await reconcilers.leases.check(key[0])
        self._cache.set_holder(key[0], ownership.holder)
        if ownership.holder:
            self._cache.remove(key)
            return None
        return await reconcilers.monitors.reconcile(key, ownership.contender)

    async def _work(self, reconcilers: Reconcilers, loaded: asyncio.Event) -> None:
        await loaded.wait()  # otherwise a restart would end maintenance for a moment
        while True:
            key = await self._queue.get()
            QUEUE_DEPTH.set(len(self._queue))
            try:
                async with asyncio.timeout(RECONCILE_TIMEOUT_SECONDS):
                    delay = await self._reconcile(reconcilers, key)
            except ApiError as error:
                RECONCILES.labels("api_error").inc()
                level = logging.DEBUG if error.status == CONFLICT else logging.WARNING
                log.log(level, "%s/%s: %s; will be retried", *key, error.message)
                self._queue.add_rate_limited(key, error.retry_after)
            except Exception:
                RECONCILES.labels("error").inc()
                log.exception("failed to reconcile %s/%s", *key)
                self._queue.add_rate_limited(key)
            else:
                RECONCILES.labels("ok").inc()
                self._queue.forget(key)
                if delay is not None:
                    self._queue.add_after(key, delay)
            finally:
                self._queue.done(key)

    async def _resync(self, api: ApiClient, maintenances: MaintenanceCache) -> None:
        """Enqueue all monitors periodically: kopf can miss a deletion, and windows move on."""
        while True:
            wait = float(self._settings.resync_seconds)
            try:
                await maintenances.refresh()
                await self._sync_release_monitors(api)
                await self._enqueue_all(api)
                for name in maintenances.names():
                    self._queue.add((watch.CLUSTER, name))
            except ApiError as error:
                log.warning("failed to list the monitors: %s", error.message)
                wait = RETRY_DELAY_SECONDS
            except Exception:
                log.exception("the resync failed")
            self._heartbeat = time.monotonic()
            await asyncio.sleep(wait)

    async def _sync_release_monitors(self, api: ApiClient) -> None:
        if self._settings.config_map and await api.has_resource(MONITORS):
            await sync(api, self._settings.namespace, self._settings.config_map)

    async def _enqueue_all(self, api: ApiClient) -> None:
        found: set[Key] = set()
        for scope in self._settings.list_namespaces:
            needed = METADATA_LIST if self._synced else ANY_JSON
            async for page in api.pages(MONITORS, scope, accept=needed):
                for monitor in page:
                    metadata = monitor["metadata"]
                    found.add((metadata["namespace"], metadata["name"]))
                    if not self._synced:
                        status, _ = read_status(monitor, _now())
                        self._cache.upsert({**monitor, "status": status})
        for key in found | self._cache.keys():
            self._queue.add(key)
        self._synced = True
        LAST_RESYNC.set_to_current_time()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
