"""What may cost requests, and never a write: pods and the database that are killed."""

import time

from localstack.catalogue import SERVICES
from tests.e2e.background_load import Load
from tests.e2e.context import LateError, Trial, check, nothing_lost, rounds
from tests.support.cluster import RELEASE

BACK_WITHIN = 30.0  # seconds until everything serves again, once PostgreSQL was killed


def kill_pods(trial: Trial) -> str:
    """Kill a pod of each service without notice, while the load goes on."""
    with Load(trial.url) as load:
        for _ in rounds(trial.rounds.killed):
            pods = [trial.cluster.pods(service, "Running")[0] for service in SERVICES]
            trial.cluster.kubectl("delete", "pod", *pods, "--force", "--grace-period=0")
            trial.cluster.wait_for_rollouts(*(f"deployment/{RELEASE}-{name}" for name in SERVICES))
    return nothing_lost(load)


def kill_postgresql(trial: Trial) -> str:
    """Kill PostgreSQL's pod, while the load goes on; services wait for it, without a restart."""
    cluster = trial.cluster
    before, slowest = cluster.restarts(), 0.0
    with Load(trial.url) as load:
        for _ in rounds(trial.rounds.database):
            time.sleep(3)  # of load
            began = time.monotonic()
            cluster.kubectl("delete", "pod", f"{RELEASE}-postgresql-0", "--grace-period=1")
            cluster.wait_for_rollouts(f"statefulset/{RELEASE}-postgresql")
            load.wait_for_a_write()
            slowest = max(slowest, time.monotonic() - began)
    told = nothing_lost(load)
    restarts = (cluster.restarts() - before).total()
    check(not restarts, f"{restarts} containers were restarted")
    if slowest >= BACK_WITHIN:
        message = f"a write took {slowest:.0f} s to be taken again; {told}"
        raise LateError(message)
    return f"{told}; writes again after {slowest:.0f} s at most, 0 restarts"
