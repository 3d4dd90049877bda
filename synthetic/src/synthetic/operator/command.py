"""The command `synthetic operator`, configured by environment variables."""

import asyncio
import logging
import os
import signal
import sys
import time

import kopf
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

from synthetic.operator.app import Operator
from synthetic.operator.settings import Settings, SettingsError

SETTINGS_HELP = """\
settings (environment variables):
  PROBE_IMAGE               image of the probe
  WATCH_NAMESPACES          comma-separated namespaces, or * for all
  PROBE_IMAGE_PULL_POLICY   Always, IfNotPresent (default) or Never
  PROBE_IMAGE_PULL_SECRETS  comma-separated names
  PROBE_ASSIGNED_USER       true where the cluster assigns the users of pods, such as OpenShift
  PROBE_LABELS              labels of the probes' pods, like a=b,c=d
  MONITORS_CONFIG_MAP       ConfigMap with the release's monitors, in POD_NAMESPACE
  OPERATOR_NAME             name of the operator in POD_NAMESPACE, for its leases (synthetic)
  PORT                      port of the status page and the metrics (8080)
  RESYNC_SECONDS            interval between two resyncs of all monitors (120)
  WORKERS                   monitors that are reconciled concurrently (8)
  NOTIFY_NETWORKS           networks that notifications may reach beside public addresses (none)
  LOG_LEVEL                 DEBUG, INFO (default), WARNING or ERROR
"""

LOG_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger", "message": "event"}
KOPF_ATTRIBUTES = ("k8s_ref", "k8s_skip", "settings")  # of its records; they are no log fields


def run() -> int:
    """Run until SIGTERM, and return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # PID 1 has no default handler
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return os.EX_CONFIG
    _log_to_stdout(settings.log_level)
    try:
        asyncio.run(Operator(settings).run())
    except kopf.LoginError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return os.EX_CONFIG
    return 0


def _log_to_stdout(level: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    formatter = OrjsonFormatter(
        list(LOG_FIELDS),
        datefmt="%Y-%m-%dT%H:%M:%SZ",
        rename_fields={**LOG_FIELDS, "exc_info": "error"},
        reserved_attrs=[*RESERVED_ATTRS, *KOPF_ATTRIBUTES],
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)  # its INFO has a line for each handler call
