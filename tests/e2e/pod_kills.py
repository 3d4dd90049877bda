"""Pods and PostgreSQL killed under load: requests may fail, and no write may be lost."""

import time

from devstack.service_catalog import SERVICES
from tests.e2e.background_load import BackgroundLoad
from tests.e2e.context import Context, check_no_loss, repeat
from tests.support.cluster import RELEASE
from tests.support.steps import TooSlow, check

RECOVERY_LIMIT_SECONDS = 30.0  # until a write succeeds, after PostgreSQL was killed
LOAD_SECONDS = 3.0  # before each kill


def kill_pods(context: Context) -> str:
    """Kill a pod of each service without a grace period, under load."""
    with BackgroundLoad(context.url) as load:
        for _ in repeat(context.repetitions.pod_kills):
            pods = [context.cluster.pods(service, "Running")[0] for service in SERVICES]
            context.cluster.kubectl("delete", "pod", *pods, "--force", "--grace-period=0")
            context.cluster.wait_for_rollouts(
                *(f"deployment/{RELEASE}-{name}" for name in SERVICES)
            )
    return check_no_loss(load)


def kill_postgresql(context: Context) -> str:
    """Kill the pod of PostgreSQL under load; services wait for it without a restart."""
    cluster = context.cluster
    before, slowest = cluster.restarts(), 0.0
    with BackgroundLoad(context.url) as load:
        for _ in repeat(context.repetitions.database_kills):
            time.sleep(LOAD_SECONDS)
            started = time.monotonic()
            cluster.kubectl("delete", "pod", f"{RELEASE}-postgresql-0", "--grace-period=1")
            cluster.wait_for_rollouts(f"statefulset/{RELEASE}-postgresql")
            load.wait_for_a_write()
            slowest = max(slowest, time.monotonic() - started)
    summary = check_no_loss(load)
    restarts = (cluster.restarts() - before).total()
    check(not restarts, f"{restarts} containers were restarted")
    if slowest >= RECOVERY_LIMIT_SECONDS:
        raise TooSlow(f"a write succeeded only after {slowest:.0f} s; {summary}")
    return f"{summary}; writes again after {slowest:.0f} s at most, 0 restarts"
