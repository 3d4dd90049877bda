"""A streaming replica of the bundled PostgreSQL, which serves the reads of the services."""

import secrets
from typing import Any

from devstack.service_catalog import SERVICES
from tests.e2e.background_load import BackgroundLoad
from tests.e2e.context import Context, check_no_failure
from tests.e2e.side_server import SERVER, SideServer
from tests.support.cluster import Cluster
from tests.support.restricted_pod import restricted_pod
from tests.support.steps import wait_until

NAME, PORT, USER = "replica", 5432, 999
REPLICA = SideServer(NAME, PORT)
READERS = tuple(service for service in SERVICES if service != "auth")  # which has no lists
ADMIT = 'echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"'
COPY = """
until pg_basebackup --dbname "$PRIMARY" --pgdata "$PGDATA" --write-recovery-conf --checkpoint fast
do rm -rf "$PGDATA"; sleep 1; done
exec "$@" -c listen_addresses="*"
"""
VOLUMES = {"data": "/var/lib/postgresql/data", "run": "/var/run/postgresql"}
# the services also run transactions on a replica that lags, but read no table
READS = "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0) FROM pg_stat_user_tables"
TIMEOUT_SECONDS = 60.0
WRITES_WITHOUT = 20  # while the replica is away


def read_from_replica(context: Context) -> str:
    """Move reads to a replica, kill it, and move them back: no call fails, and no read is stale.

    Each caller reads its write back at once, and a read without it fails.
    """
    cluster = context.cluster
    _start(cluster)
    with BackgroundLoad(context.url) as load:
        secret_names = {f"{each}.database.replicaSecret": f"{each}-{NAME}" for each in READERS}
        cluster.install("upgrade", options=REPLICA.admission, **secret_names)
        _wait_for_reads(cluster, _scans(cluster))
    moved = check_no_failure(load)
    with BackgroundLoad(context.url) as load:
        cluster.kubectl("delete", "pod", "-l", f"app={NAME}", "--grace-period=0", "--force")
        for _ in range(WRITES_WITHOUT):
            load.wait_for_a_write()
        cluster.wait_for_rollouts(f"deployment/{NAME}")
        _wait_for_reads(cluster, _scans(cluster))
    killed = check_no_failure(load)
    context.buy()
    with BackgroundLoad(context.url) as load:
        cluster.install("upgrade", options=REPLICA.admission)
        load.wait_for_a_write()
    left = check_no_failure(load)
    REPLICA.remove(cluster)
    return f"there {moved}, replica killed {killed}, back {left}"


def _start(cluster: Cluster) -> None:
    """Start a replica, which PostgreSQL sends its write-ahead log."""
    password = secrets.token_hex(16)
    role = f"CREATE ROLE replicator REPLICATION LOGIN PASSWORD '{password}'"
    cluster.sql("postgres", role)
    cluster.kubectl("exec", f"{SERVER}-0", "--", "sh", "-c", ADMIT)
    cluster.sql("postgres", "SELECT pg_reload_conf()")
    primary = f"postgresql://replicator:{password}@{SERVER}/postgres"
    REPLICA.apply(cluster, _pod(cluster), {"PRIMARY": primary}, READERS)


def _pod(cluster: Cluster) -> dict[str, Any]:
    """Return a pod of the image of the bundled PostgreSQL."""
    running = {each["metadata"]["name"]: each for each in cluster.objects("pods")}
    (server,) = running[f"{SERVER}-0"]["spec"]["containers"]
    # a standby needs at least the max_connections of its primary
    command = ("sh", "-c", COPY, "sh", *server["args"])
    pod = restricted_pod(NAME, {"app": NAME}, cluster.tag, command, PORT)
    spec = pod["spec"]
    (container,) = spec["containers"]
    container["image"] = server["image"]
    container["env"] = [{"name": "PGDATA", "value": f"{VOLUMES['data']}/copy"}]
    container["envFrom"] = [{"secretRef": {"name": NAME}}]
    container["volumeMounts"] += [{"name": n, "mountPath": path} for n, path in VOLUMES.items()]
    spec["volumes"] += [{"name": name, "emptyDir": {}} for name in VOLUMES]
    spec["securityContext"] |= {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER}
    return pod


def _wait_for_reads(cluster: Cluster, before: int) -> None:
    wait_until(lambda: _scans(cluster) > before, TIMEOUT_SECONDS, "the replica serves no reads")


def _scans(cluster: Cluster) -> int:
    """Return the number of scans of the tables of clients on the replica."""
    psql = ("psql", "-U", "postgres", "-d", "clients", "-tAc", READS)
    return int(cluster.kubectl("exec", f"deployment/{NAME}", "--", *psql))
