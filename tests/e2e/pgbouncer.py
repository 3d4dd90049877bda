"""PgBouncer between the services and PostgreSQL, configured as docs/scale.md says."""

import re
from typing import Any

from devstack.service_catalog import ROOT, SERVICES
from tests.e2e.background_load import BackgroundLoad
from tests.e2e.context import Context, check_no_failure, check_no_loss
from tests.e2e.side_server import SERVER, SideServer, database_urls
from tests.support import images
from tests.support.cluster import Cluster
from tests.support.restricted_pod import restricted_pod
from tests.support.steps import check, wait_until

NAME, PORT, REPLICAS = "pgbouncer", 6432, 2
CONNECTIONS = 2  # to the server, for each database
END_TIMEOUT_SECONDS = 60.0
PAGE = ROOT / "docs" / "scale.md"
BASE = "docker.io/library/python:3.13-slim-bookworm"  # that of the services
SESSIONS = "SELECT datname, host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
POOLER = SideServer(NAME, PORT)
DOCKERFILE = f"""
FROM {BASE}
RUN apt-get update && apt-get install -y --no-install-recommends pgbouncer
STOPSIGNAL SIGINT
ENTRYPOINT ["pgbouncer"]
"""


def pool_connections(context: Context) -> str:
    """Move the services behind a PgBouncer and back without a failed call; restart it between.

    A PgBouncer that ends disconnects the sessions that wait for it, so that a restart costs calls.
    """
    cluster = context.cluster
    images.build_text(NAME, cluster.tag, DOCKERFILE)
    _start(cluster)
    with BackgroundLoad(context.url) as load:
        _use(cluster)
        load.wait_for_a_write()
    moved = check_no_failure(load)
    context.buy()
    pooled = _pooled(cluster)
    check(pooled == set(SERVICES), f"only these use the pooler: {sorted(pooled)}")
    with BackgroundLoad(context.url) as load:
        cluster.kubectl("rollout", "restart", f"deployment/{NAME}")
        cluster.wait_for_rollouts(f"deployment/{NAME}")
        wait_until(
            lambda: len(_addresses(cluster)) == REPLICAS, END_TIMEOUT_SECONDS, "the old ones stay"
        )
    restarted = check_no_loss(load)
    with BackgroundLoad(context.url) as load:
        _leave(cluster)
    left = check_no_failure(load)
    POOLER.remove(cluster)
    return f"there {moved}, back {left}; restarted: {restarted}"


def _use(cluster: Cluster) -> None:
    """Upgrade the services to the pooler."""
    values = {f"{service}.database.poolerSecret": f"{service}-{NAME}" for service in SERVICES}
    cluster.install("upgrade", options=POOLER.admission, **values)


def _leave(cluster: Cluster) -> None:
    """Upgrade the services to the server; pods that drain still connect to the pooler."""
    ports = {f"{service}.networkPolicy.databasePorts": f"{{{PORT}}}" for service in SERVICES}
    cluster.install("upgrade", options=POOLER.admission, **ports)


def _start(cluster: Cluster) -> None:
    """Start PgBouncer with the accounts of the services."""
    urls = database_urls(cluster, SERVICES)
    for statement in _code("sql").split(";\n"):
        for url in urls.values():
            database = url.path.strip("/")
            cluster.sql("postgres", statement.replace("DATABASE clients", f"DATABASE {database}"))
    users = "".join(f'"{url.username}" "{url.password}"\n' for url in urls.values())
    files = {"pgbouncer.ini": _configuration(), "users.txt": users}
    POOLER.apply(cluster, _pod(cluster), files, SERVICES, REPLICAS)


def _configuration() -> str:
    lines = [
        "[databases]",
        f"* = host={SERVER} port=5432 pool_size={CONNECTIONS}",
        _code("ini").strip(),
        "listen_addr = *",
        f"listen_port = {PORT}",
        "unix_socket_dir =",
        "auth_type = scram-sha-256",
        "auth_file = /etc/pgbouncer/users.txt",
    ]
    return "\n".join([*lines, ""])


def _code(language: str) -> str:
    """Return the only code block of docs/scale.md in a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(block)


def _pod(cluster: Cluster) -> dict[str, Any]:
    pod = restricted_pod(NAME, {"app": NAME}, cluster.tag, (), PORT)
    container = pod["spec"]["containers"][0]
    del container["command"]
    container["image"] = f"{images.repository()}/{NAME}:{cluster.tag}"
    container["args"] = ["/etc/pgbouncer/pgbouncer.ini"]
    container["volumeMounts"].append({"name": "config", "mountPath": "/etc/pgbouncer"})
    pod["spec"]["volumes"].append({"name": "config", "secret": {"secretName": NAME}})
    pod["spec"]["terminationGracePeriodSeconds"] = 30
    return pod


def _pooled(cluster: Cluster) -> set[str]:
    """Return the databases to which PgBouncer is connected."""
    rows = cluster.sql("postgres", SESSIONS).split()
    sessions = [row.split("|") for row in rows]
    addresses = _addresses(cluster)
    return {database for database, address in sessions if address in addresses}


def _addresses(cluster: Cluster) -> set[str]:
    """Return the addresses of the pods of PgBouncer, those that end included."""
    return {
        pod["status"].get("podIP", "")
        for pod in cluster.objects("pods")
        if pod["metadata"].get("labels", {}).get("app") == NAME
    }
