"""The commands `monitors`, `explain`, `run`, `suspend` and `resume`."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

import kopf

from synthetic.monitors import explanation, requested_run
from synthetic.monitors.client import UserClient, UserError
from synthetic.monitors.kubeconfig import log_in
from synthetic.monitors.listing import format_monitors
from synthetic.operator.api_client import ApiError
from synthetic.operator.release_monitors import PROVIDED_BY_LABEL
from synthetic.operator.resources import MONITORS, Object
from synthetic.standard_output import write_output

COULD_NOT = 2
INTERRUPTED = 130  # as shells report SIGINT
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
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(options: argparse.Namespace) -> int:
    async with UserClient(lambda: log_in(options.kubeconfig, options.context)) as api:
        namespace = options.namespace or api.namespace
        if options.command == "monitors":
            found = await api.list(MONITORS, "" if options.all_namespaces else namespace)
            write_output(explanation.printable(format_monitors(found, datetime.now(UTC))))
            return 0
        if options.command == "explain":
            text = await explanation.explain(api, namespace, options.monitor, datetime.now(UTC))
            write_output(text)
            return 0
        if options.command == "run":
            wait = options.timeout if options.wait else None
            return await requested_run.run(api, namespace, options.monitor, wait)
        return await _suspend(api, namespace, options)


async def _suspend(api: UserClient, namespace: str, options: argparse.Namespace) -> int:
    suspend = options.command == "suspend"
    change: Object = {"spec": {"suspend": suspend}}
    monitor = await api.patch_monitor(namespace, options.monitor, change)
    note = RELEASE_NOTE if PROVIDED_BY_LABEL in monitor["metadata"].get("labels", {}) else ""
    verb = "suspended" if suspend else "resumed"
    write_output(f"{namespace}/{options.monitor} {verb}\n{note}")
    return 0
