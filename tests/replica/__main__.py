"""Reads on a streaming replica under load, while it is killed, hangs, lags and returns.

A primary, its replica and the clients service with two workers run for this command. No call may
fail, no read may lack an acknowledged write, and no acknowledged write may be lost.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from devstack import databases
from devstack.postgres import Postgres
from servicekit.db import migrate
from servicekit.testing import FakeIssuer, gunicorn_server, peer_settings
from tests.replica.load import Load, Phase
from tests.support.ports import free_port
from tests.support.replication import Replication, replication
from tests.support.steps import Progress

WORKERS = 2
DURABLE = {"fsync": "on", "full_page_writes": "on"}
SETTLE_SECONDS = 3.0  # until the processes have tried the replica again
COUNTERS = ("cadastro_database_replica_reads", "cadastro_database_replica_fallbacks")
HEADER = f"{'phase':20}{'calls':>8}{'failed':>8}{'stale':>7}{'on the replica':>16}{'slowest':>10}"

report = Progress("replica")


def main() -> int:
    """Run the phases, print the table, and return 1 after a violation."""
    options = _parser().parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeIssuer() as issuer,
        replication(DURABLE) as servers,
    ):
        databases.create_missing(servers.primary)
        migrate.upgrade(_url(servers.primary), migrate.configuration("clients"))
        metrics = f"127.0.0.1:{free_port()}"
        settings = peer_settings(
            issuer,
            _url(servers.primary),
            Path(folder),
            READ_DATABASE_URL=_url(servers.replica),
            INVENTORY_URL="http://127.0.0.1:9",
            METRICS_BIND=metrics,
            WORKERS=str(WORKERS),
        )
        with gunicorn_server("clients", settings, log=Path(folder, "log")) as service:
            load = Load(service.url, issuer.token(), options.callers, options.reads)
            return _run(load, servers, metrics, options)


def _run(load: Load, servers: Replication, metrics: str, options: argparse.Namespace) -> int:
    faults: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "replica in use": nullcontext,
        "replica killed": lambda: _killed(servers),
        "replica restarted": nullcontext,
        "replica hangs": servers.hung,
        "replay paused": servers.paused,
        "replica in use again": nullcontext,
    }
    load.phases.append(Phase("start"))
    print(HEADER, flush=True)
    with load.running():
        for number in range(options.rounds * len(faults)):
            name = [*faults][number % len(faults)]
            with faults[name]():
                time.sleep(SETTLE_SECONDS)
                before = _counted(metrics)
                load.phases.append(Phase(name))
                time.sleep(options.seconds)
                on_replica, on_primary = (
                    after - b for after, b in zip(_counted(metrics), before, strict=True)
                )
                phase = load.phases[-1]
                share = on_replica / ((on_replica + on_primary) or 1)
                print(
                    f"{name:20}{phase.calls:8}{phase.failed:8}{phase.stale:7}{share:16.1%}"
                    f"{phase.slowest:8.2f} s",
                    flush=True,
                )
                load.phases.append(Phase("between"))
    lost = _lost(load, servers)
    totals = [sum(getattr(p, n) for p in load.phases) for n in ("calls", "failed", "stale")]
    print("calls {}, failed {}, stale {}".format(*totals))
    for status, count in load.failures.items():
        print(f"{count} failed with {status}")
    print(f"acknowledged writes {sum(load.written.values())}, lost {lost}")
    return 1 if totals[1] or totals[2] or lost else 0


@contextmanager
def _killed(servers: Replication) -> Iterator[None]:
    servers.kill_replica()
    yield
    servers.replica.start()


def _lost(load: Load, servers: Replication) -> int:
    """Return how many acknowledged writes the primary lacks after a restart."""
    servers.primary.stop()
    servers.primary.start()
    rows = servers.primary.execute("SELECT id, version FROM clients", database="clients")
    found = {int(str(row[0])): int(str(row[1])) for row in rows}
    return sum(max(0, version - found.get(key, 0)) for key, version in load.written.items())


def _counted(metrics: str) -> list[float]:
    """Return the reads on the replica and on the primary, of all workers."""
    text = httpx.get(f"http://{metrics}/metrics").raise_for_status().text
    values = {
        family.name: family.samples[0].value
        for family in text_string_to_metric_families(text)
        if family.samples
    }
    return [values[name] for name in COUNTERS]


def _url(server: Postgres) -> str:
    return server.url("clients", user="clients")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.replica",
        description=__doc__,
        epilog="Exit codes: 0 no violation, 1 a violation.",
    )
    parser.add_argument("--seconds", type=float, default=20, help="of each phase (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="of all phases (%(default)s)")
    parser.add_argument("--callers", type=int, default=6, help="threads (%(default)s)")
    parser.add_argument("--reads", type=int, default=4, help="of each write (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
