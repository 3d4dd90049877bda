"""Tries the charts on a real cluster: build, install, buy, roll, kill, upgrade, roll back, remove.

It works on the cluster that KUBECONFIG names, pushes images to REGISTRY, and asks INGRESS_URL, or
the address that the Ingress tells; where others use the same ingress, INGRESS_HOST is a name that
leads to it. Its namespace is its own, and is removed at the end; one that an earlier trial has left
at the same address is removed before.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from scripts.charts.promtool import PromtoolError
from tests.e2e import (
    acceptance,
    failure_cases,
    lifecycle,
    monitoring,
    notes,
    pod_failures,
    rollouts,
    skaffold,
)
from tests.e2e.context import CostError, LateError, MissError, Rounds, Step, Trial
from tests.support.cluster import Cluster, ClusterError, check_settings

STEPS: tuple[tuple[str, Step], ...] = (
    ("images built and pushed", lifecycle.build),
    ("install to first purchase", lifecycle.install),
    ("acceptance through the ingress", acceptance.accept),
    ("what NOTES tell, helm test too", notes.followed),
    ("the examples, checked by the server", lifecycle.examples),
    ("monitors of every service", monitoring.watched),
    ("a second operator elsewhere", monitoring.shared),
    ("a drill", monitoring.drilled),
    ("sweeps and reconciliation", lifecycle.commands),
    ("rolling restarts under load", rollouts.roll),
    ("Locust in the cluster, restarts in it", rollouts.load),
    ("pods killed under load", pod_failures.kill_pods),
    ("PostgreSQL killed under load", pod_failures.kill_postgresql),
    ("upgrade and roll back under load", rollouts.upgrade),
    ("a bad upgrade under load", failure_cases.bad_upgrade),
    ("a database that is away", failure_cases.database_away),
    ("a migration under load", rollouts.migrated),
    ("helm template applied twice", failure_cases.applied_twice),
    ("one service alone", failure_cases.alone),
    ("uninstall keeps secrets and data", lifecycle.reinstall),
    ("the restricted standard", lifecycle.restricted),
)
THOROUGH: tuple[tuple[str, Step], ...] = (
    ("a second release beside", failure_cases.beside),
    ("skaffold run, skaffold dev", skaffold.deployed),
)


class Row(NamedTuple):
    """How a step went."""

    result: str
    name: str
    seen: str
    seconds: float


@contextmanager
def timed(rows: list[Row], name: str, place: str = "") -> Iterator[list[str]]:
    """Run a step, and add its row to the table."""
    print(f"e2e: {place}{name} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    seen: list[str] = []
    result = "ok"
    try:
        yield seen
    except LateError as error:
        result = "LATE"
        seen.append(str(error))
    except CostError as error:
        result = "COST"
        seen.append(str(error))
    except (ClusterError, MissError, PromtoolError, httpx.HTTPError) as error:
        result = "MISS"
        seen.append(str(error))
    rows.append(Row(result, name, " ".join(seen), time.monotonic() - began))
    print(f"e2e: {result}, {rows[-1].seconds:.0f} s: {rows[-1].seen}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the steps, print the table, and return 1 when one missed."""
    options = _parser().parse_args()
    check_settings()
    tag = f"e2e-{int(time.time())}"
    cluster = Cluster(tag, options.timeout, options.set)
    rounds = Rounds.thorough() if options.thorough else Rounds(options.rounds, options.rounds + 1)
    rows: list[Row] = []
    steps = (*STEPS, *(THOROUGH if options.thorough else ()))
    try:
        take(steps, Trial(cluster, rounds), rows)
    finally:
        if not options.keep:
            with timed([], "removing the namespace"):
                monitoring.forget_definition(cluster)
                cluster.remove_namespace()
        for row in rows:
            print(f"{row.result:6}{row.name:36}{row.seconds:7.1f} s  {row.seen}")
    return 0 if all(row.result == "ok" for row in rows) else 1


def take(steps: Sequence[tuple[str, Step]], trial: Trial, rows: list[Row]) -> None:
    """Take one step after the other, until one misses: what follows builds on it."""
    for number, (name, step) in enumerate(steps, 1):
        with timed(rows, name, f"{number} of {len(steps)}: ") as seen:
            seen.append(step(trial))
        if rows[-1].result == "MISS":
            return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make e2e",
        description=__doc__,
        epilog="Exit codes: 0 all was as it must be, 1 something was not, was late or cost calls.",
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often pods are rolled (1)")
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="roll 10 times, kill pods 20 times and PostgreSQL 10 times, and more: half an hour",
    )
    parser.add_argument(
        "--timeout", default="5m", help="for an install or a rollout, as helm has it (5m)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a value for every install"
    )
    parser.add_argument("--keep", action="store_true", help="leave the namespace, to look at it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
