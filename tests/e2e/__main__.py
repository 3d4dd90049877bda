"""`make e2e`: install, use, restart, upgrade and remove the charts on a real cluster.

The cluster is that of KUBECONFIG; images are pushed to REGISTRY. Requests go to INGRESS_URL, or to
the address in the status of the Ingress. On a shared ingress, INGRESS_HOST is a host name that
resolves to it. The namespace is temporary; namespaces that earlier runs left at the same host are
deleted first.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby

import httpx

from scripts.charts.promtool import PromtoolError
from scripts.release.commands import ReleaseError
from tests.e2e import (
    acceptance,
    backups,
    failed_upgrades,
    gateway_api,
    lifecycle,
    locations,
    neighbours,
    network_policies,
    notes,
    pgbouncer,
    pod_kills,
    replica,
    rollouts,
    skaffold,
    standalone_chart,
    synthetic_monitors,
    unchanged_upgrade,
    wrong_specs,
)
from tests.e2e.context import Context, Repetitions, Step, report
from tests.support.cluster import Cluster, check_settings
from tests.support.commands import CommandError
from tests.support.steps import StepFailed, StepResult, StepRunner

STEPS: tuple[tuple[str, Step], ...] = (
    ("build and push images", lifecycle.build),
    ("install, first purchase", lifecycle.install),
    ("upgrade without a change", unchanged_upgrade.upgrade_without_change),
    ("acceptance through the ingress", acceptance.accept),
    ("commands of NOTES, helm test", notes.check_notes),
    ("dry run of the examples", lifecycle.check_examples),
    ("monitors of every service", synthetic_monitors.check_monitors),
    ("a second operator", synthetic_monitors.install_second_operator),
    ("a Gateway instead of the Ingress", gateway_api.check_gateway),
    ("releases and operators together", neighbours.check_neighbours),
    ("drill: one fault of each kind", synthetic_monitors.run_drill),
    ("the synthetic chart's README", standalone_chart.follow_readme),
    ("network policies, every pair of pods", network_policies.check_network_policies),
    ("two locations, one of them cut off", locations.check_locations),
    ("wrong specs and documents", wrong_specs.explain_wrong_specs),
    ("purges and reconciliation", lifecycle.run_cron_jobs),
    ("backup to S3, restore elsewhere", backups.check_backups),
    ("rolling restarts under load", rollouts.restart),
    ("rolling restarts under Locust", rollouts.restart_under_locust),
    ("pods killed under load", pod_kills.kill_pods),
    ("PostgreSQL killed under load", pod_kills.kill_postgresql),
    ("upgrade and rollback under load", rollouts.upgrade),
    ("failed upgrade under load", failed_upgrades.fail_upgrade),
    ("upgrade without a database", failed_upgrades.upgrade_without_database),
    ("migration under load", rollouts.migrate),
    ("helm template applied over it", failed_upgrades.apply_template_over_release),
    ("one service alone", failed_upgrades.install_one_service),
    ("uninstall, install from the registry", lifecycle.reinstall),
    ("the restricted standard", lifecycle.check_pod_security),
)
CONCURRENT = {  # mostly waiting, and apart from the drill in namespaces of their own
    "drill: one fault of each kind",
    "the synthetic chart's README",
    "network policies, every pair of pods",
    "two locations, one of them cut off",
    "wrong specs and documents",
}
THOROUGH: tuple[tuple[str, Step], ...] = (
    ("a second release", failed_upgrades.install_second_release),
    ("PgBouncer under load and a restart", pgbouncer.pool_connections),
    ("reads on a replica, killed once", replica.read_from_replica),
    ("skaffold run, skaffold dev", skaffold.deploy),
)
BASE = 2  # steps that every other step needs
FAILURES = (CommandError, PromtoolError, ReleaseError, httpx.HTTPError)


def main() -> int:
    """Run the steps, print the table, and return 1 when one failed."""
    options = _parser().parse_args()
    check_settings()
    tag = f"e2e-{int(time.time())}"
    cluster = Cluster(tag, options.timeout, options.set)
    repetitions = Repetitions(options.rounds, options.rounds + 1)
    context = Context(cluster, Repetitions.thorough() if options.thorough else repetitions)
    runner = StepRunner(report, *FAILURES)
    steps = (*STEPS, *(THOROUGH if options.thorough else ()))
    try:
        run_steps(select(steps, options.only), context, runner)
    finally:
        if not options.keep:
            StepRunner(report, *FAILURES).run("delete the namespace", partial(clean_up, cluster))
        for result in runner.results:
            duration = f"{result.seconds:7.1f} s"
            print(f"{result.status:6}{result.name:36}{duration}  {result.detail}")
    return 0 if runner.all_ok else 1


def select(steps: Sequence[tuple[str, Step]], text: str) -> list[tuple[str, Step]]:
    """Return the first two steps, which the others build on, and those with a text in the name."""
    return [step for number, step in enumerate(steps) if number < BASE or text in step[0]]


def run_steps(steps: Sequence[tuple[str, Step]], context: Context, runner: StepRunner) -> None:
    """Run the steps in order, until one fails: later steps build on it.

    Neighbours in ``CONCURRENT`` run at once.
    """
    numbered = list(enumerate(steps, 1))

    def run(numbered_step: tuple[int, tuple[str, Step]]) -> StepResult:
        number, (name, step) = numbered_step
        return runner.run(name, partial(step, context), f"{number} of {len(steps)}: ")

    for _, group in groupby(numbered, lambda each: 0 if each[1][0] in CONCURRENT else each[0]):
        stage = list(group)
        with ThreadPoolExecutor(len(stage)) as pool:
            results = list(pool.map(run, stage))
        if any(result.status == StepFailed.status for result in results):
            return


def clean_up(cluster: Cluster) -> str:
    """Delete the release's cluster-scoped objects, and the namespace."""
    synthetic_monitors.delete_cluster_objects(cluster)
    cluster.remove_namespace()
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make e2e",
        description=__doc__,
        epilog="Exit codes: 0 every step succeeded, 1 a step failed, was late or failed requests.",
    )
    parser.add_argument("--rounds", type=int, default=1, help="rolling restarts (1)")
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="10 rolling restarts, 20 pod kills, 10 of PostgreSQL, and more: half an hour",
    )
    parser.add_argument(
        "--timeout", default="5m", help="of an install or a rollout, in helm's notation (5m)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a value of every install"
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="after build and install, only the steps whose names contain the text",
    )
    parser.add_argument("--keep", action="store_true", help="keep the namespace for inspection")
    return parser


if __name__ == "__main__":
    sys.exit(main())
