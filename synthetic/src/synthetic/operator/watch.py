"""Watches: kopf's event handlers enqueue the affected monitors.

All handlers are ``@kopf.on.event``: the other kinds add a finalizer, which blocks the deletion of
a namespace while the operator is not running.
"""

import itertools
from collections.abc import Callable
from typing import Any

import kopf

from synthetic.operator.api_client import PAGE_SIZE
from synthetic.operator.api_session import connect
from synthetic.operator.cronjob import MONITOR_LABEL
from synthetic.operator.label_selector import matches_labels
from synthetic.operator.maintenance_cache import MaintenanceCache
from synthetic.operator.monitor_cache import Key, Labels, MonitorCache
from synthetic.operator.resources import GROUP, MAINTENANCE_PLURAL, PLURAL, VERSION
from synthetic.operator.run_result import is_held_open, start_failure
from synthetic.operator.settings import Settings

Enqueue = Callable[[Key], None]
CLUSTER = ""  # the namespace in the keys of cluster-wide maintenance
OWNED_LABELS = {MONITOR_LABEL: kopf.PRESENT}
OWNED_KINDS = (("batch", "cronjobs"), ("batch", "jobs"), ("v1", "pods"))
RETRY_DELAY_SECONDS = 3.0  # after a failed request of kopf


def kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: no Events, no scans, and timeouts for all streams."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.scanning.disabled = True  # scans need permissions on CRDs and namespaces
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.watching.connect_timeout = 10
    chosen.watching.chunk_size = PAGE_SIZE
    for kind in OWNED_KINDS:  # the API server sends no other pods, of which a cluster has many
        chosen.watching.label_selectors[kind] = MONITOR_LABEL
    # endless: by default kopf gives up after 54 s of failures and ends the process
    chosen.networking.error_backoffs = itertools.repeat(RETRY_DELAY_SECONDS)
    chosen.queueing.idle_timeout = 1
    chosen.process.ultimate_exiting_timeout = 10
    return chosen


def build_registry(enqueue: Enqueue, cache: MonitorCache) -> kopf.OperatorRegistry:
    """Return the handlers; they are coroutines because kopf runs functions in threads."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def log_in(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 - kopf passes many keyword arguments
        return connect()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers)
    async def on_monitor(namespace: str | None, name: str, **_: Any) -> None:  # noqa: ANN401 - as above
        enqueue((namespace or "", name))

    @kopf.on.event("batch", "v1", "cronjobs", labels=OWNED_LABELS, registry=handlers)
    @kopf.on.event("batch", "v1", "jobs", labels=OWNED_LABELS, registry=handlers)
    async def on_owned(namespace: str | None, labels: Labels, **_: Any) -> None:  # noqa: ANN401 - as above
        enqueue((namespace or "", labels[MONITOR_LABEL]))

    @kopf.on.event("v1", "pods", labels=OWNED_LABELS, registry=handlers)
    async def on_pod(namespace: str | None, labels: Labels, body: kopf.Body, **_: Any) -> None:  # noqa: ANN401 - as above
        pod = dict(body)
        if start_failure(pod) or is_held_open(pod):  # other ends of a pod are events of its Job
            enqueue((namespace or "", labels[MONITOR_LABEL]))

    @kopf.on.event("apps", "v1", "deployments", registry=handlers)
    async def on_deployment(namespace: str | None, name: str, **_: Any) -> None:  # noqa: ANN401 - as above
        for view in cache:
            if view.namespace == (namespace or "") and name in view.spec.deployments:
                enqueue((namespace or "", view.name))

    return handlers


def add_maintenances(
    handlers: kopf.OperatorRegistry,
    enqueue: Enqueue,
    cache: MonitorCache,
    maintenances: MaintenanceCache,
) -> None:
    """Add the handler of cluster-wide maintenance: it enqueues the monitors that one selects."""

    @kopf.on.event(GROUP, VERSION, MAINTENANCE_PLURAL, registry=handlers)
    async def on_maintenance(type: str | None, name: str, body: kopf.Body, **_: Any) -> None:  # noqa: A002, ANN401 - kopf's names
        before = maintenances.get(name)
        if type == "DELETED":
            maintenances.remove(name)
            after = None
        else:
            after = maintenances.upsert(dict(body))
            enqueue((CLUSTER, name))
        if before != after:
            for view in cache:
                if any(
                    each and matches_labels(each.selector, view.labels) for each in (before, after)
                ):
                    enqueue((view.namespace, view.name))


async def watch(
    settings: Settings, enqueue: Enqueue, cache: MonitorCache, maintenances: MaintenanceCache
) -> None:
    """Watch until a signal stops the operator."""
    handlers = build_registry(enqueue, cache)
    if await maintenances.is_served():
        add_maintenances(handlers, enqueue, cache, maintenances)
    await kopf.operator(
        registry=handlers,
        settings=kopf_settings(),
        standalone=True,
        clusterwide=settings.cluster_wide,
        namespaces=() if settings.cluster_wide else settings.namespaces,
    )
