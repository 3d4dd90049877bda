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
from synthetic.operator.resources import MONITORS, Object
from synthetic.standard_output import write_output

COULD_NOT = 2


def run(options: argparse.Namespace) -> int:
    """Run a command as the user of the kubeconfig, and return the exit code."""
    try:
        return asyncio.run(_run(options))
    except (UserError, kopf.LoginError, ApiError) as error:
        sys.stderr.write(f"{options.program}: {error}\n")
        return COULD_NOT


async def _run(options: argparse.Namespace) -> int:
    async with UserClient(lambda: log_in(options.kubeconfig, options.context)) as api:
        namespace = options.namespace or api.namespace
        if options.command == "monitors":
            found = await api.list(MONITORS, "" if options.all_namespaces else namespace)
            write_output(format_monitors(found, datetime.now(UTC)))
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
    await api.patch_monitor(namespace, options.monitor, change)
    write_output(f"{namespace}/{options.monitor} {'suspended' if suspend else 'resumed'}\n")
    return 0
