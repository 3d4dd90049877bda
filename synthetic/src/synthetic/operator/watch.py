"""kopf's part: it watches, and each event names the monitor that has to be looked at.

Only ``@kopf.on.event`` is used: every other kind of handler adds a finalizer, and a namespace
then cannot be deleted while the operator is away.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import kopf

from synthetic.operator.api_client import connect
from synthetic.operator.cronjob import MONITOR_LABEL
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.resources import GROUP, PLURAL, VERSION
from synthetic.operator.run_result import start_failure
from synthetic.operator.settings import Settings

Labels = Mapping[str, str]
Enqueue = Callable[[Key], None]
OWNED_LABELS = {MONITOR_LABEL: kopf.PRESENT}
RETRY_DELAY_SECONDS = 3.0  # seconds until an API server that refused or was away is asked again


def settings() -> kopf.OperatorSettings:
    """Return kopf's settings: no events of its own, no scans, streams that cannot hang."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.scanning.disabled = True  # it would need rights on CRDs and namespaces
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.watching.connect_timeout = 10
    # without an end: kopf gives up after 54 s of refusals, and would take the process with it
    chosen.networking.error_backoffs = itertools.repeat(RETRY_DELAY_SECONDS)
    chosen.queueing.idle_timeout = 1
    chosen.process.ultimate_exiting_timeout = 10
    return chosen


def registry(enqueue: Enqueue, store: MonitorCache) -> kopf.OperatorRegistry:
    """Return the handlers: coroutines, since kopf runs plain functions in threads."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def log_in(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 - kopf passes all it knows
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
        if start_failure(dict(body)):  # of its end, its Job tells
            enqueue((namespace or "", labels[MONITOR_LABEL]))

    @kopf.on.event("apps", "v1", "deployments", registry=handlers)
    async def on_deployment(namespace: str | None, name: str, **_: Any) -> None:  # noqa: ANN401 - as above
        for view in store:
            if view.namespace == (namespace or "") and name in view.spec.deployments:
                enqueue((namespace or "", view.name))

    return handlers


async def watch(configuration: Settings, enqueue: Enqueue, store: MonitorCache) -> None:
    """Watch until a signal ends it."""
    await kopf.operator(
        registry=registry(enqueue, store),
        settings=settings(),
        standalone=True,
        clusterwide=configuration.cluster_wide,
        namespaces=() if configuration.cluster_wide else configuration.namespaces,
    )
