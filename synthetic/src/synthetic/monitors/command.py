"""The commands `monitors`, `explain`, `run`, `suspend` and `resume`."""

import argparse
import asyncio
import re
import sys
from datetime import UTC, datetime

import kopf

from synthetic.monitors import explanation, requested_run
from synthetic.monitors.client import DEFAULT_NAMESPACE, UserClient, UserError
from synthetic.monitors.kubeconfig import log_in
from synthetic.monitors.listing import format_monitors
from synthetic.operator.api_client import ApiError
from synthetic.operator.release_monitors import PROVIDED_BY_LABEL
from synthetic.operator.resources import Object
from synthetic.standard_output import write_output

COULD_NOT = 2
_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"  # RFC 1123, as Kubernetes restricts it
NAMESPACE_NAME = re.compile(rf"(?=.{{1,63}}\Z){_DNS_LABEL}")
MONITOR_NAME = re.compile(rf"(?=.{{1,253}}\Z){_DNS_LABEL}(\.{_DNS_LABEL})*")
RELEASE_NOTE = (
    "note: a Helm release defines this monitor: `suspend` of its values, and each change of them, "
    "takes precedence\n"
)


def run(options: argparse.Namespace) -> int:
    """Run a command as the user of the kubeconfig, and return the exit code."""
    try:
        return asyncio.run(_run(options))
    except (UserError, kopf.LoginError, ApiError) as error:
        sys.stderr.write(f"{options.program}: {explanation.printable(str(error))}\n")
        return COULD_NOT


async def _run(options: argparse.Namespace) -> int:
    # before the login, which may run a plugin
    _check_names(options.namespace or DEFAULT_NAMESPACE, getattr(options, "monitor", None))
    async with UserClient(lambda: log_in(options.kubeconfig, options.context)) as api:
        namespace = options.namespace or api.namespace
        _check_names(namespace)
        if options.command == "monitors":
            found = await api.list_monitors("" if options.all_namespaces else namespace)
            write_output(explanation.printable(format_monitors(found, datetime.now(UTC))))
            return 0
        if options.command == "explain":
            text = await explanation.explain(api, namespace, options.monitor, datetime.now(UTC))
            write_output(text)
            return 0
        if options.command == "run":
            limit = options.timeout if options.wait else None
            wanted = requested_run.RequestOptions(options.location, limit)
            return await requested_run.run(api, namespace, options.monitor, wanted)
        return await _suspend(api, namespace, options)


def _check_names(namespace: str, monitor: str | None = None) -> None:
    """Raise ``UserError`` for a name that Kubernetes rejects, which may be another path."""
    if not NAMESPACE_NAME.fullmatch(namespace):
        raise UserError(
            f"{namespace!r} is no name of a namespace: it has 1 to 63 lower-case letters, digits "
            "and hyphens, and begins and ends with a letter or a digit"
        )
    if monitor is not None and not MONITOR_NAME.fullmatch(monitor):
        raise UserError(
            f"{monitor!r} is no name of a monitor: it has 1 to 253 lower-case letters, digits, "
            "hyphens and dots, and each part begins and ends with a letter or a digit"
        )


async def _suspend(api: UserClient, namespace: str, options: argparse.Namespace) -> int:
    suspend = options.command == "suspend"
    change: Object = {"spec": {"suspend": suspend}}
    monitor = await api.patch_monitor(namespace, options.monitor, change)
    note = RELEASE_NOTE if PROVIDED_BY_LABEL in monitor["metadata"].get("labels", {}) else ""
    verb = "suspended" if suspend else "resumed"
    write_output(f"{namespace}/{options.monitor} {verb}\n{note}")
    return 0
