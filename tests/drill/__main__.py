"""`make drill`: inject each fault into each service, and check its monitor and the alerts.

The cluster is that of KUBECONFIG; the namespace is temporary, and images are pushed to REGISTRY.
A Prometheus evaluates the alerts of charts/synthetic, and a webhook gets the notifications. Runs
are requested, except for one service of each fault, which is monitored on schedule.

`--what troubles` injects faults into the monitors instead: no monitor may report that the system
fails. `--what calm` injects nothing: it counts false alarms under load, during rolling restarts.
`--what maintenance` stops a service in a maintenance window: nothing may count, and nobody be told.
"""

import argparse
import sys
import time
import uuid
from functools import partial

import httpx

from devstack.service_catalog import SERVICES
from scripts.charts import promtool
from tests.drill import faults_of_monitors, manifests, runner
from tests.drill.experiment import Row
from tests.drill.false_alarms import FalseAlarms
from tests.drill.faults import FAULTS
from tests.drill.harness import NAME, MonitorHarness
from tests.drill.maintenance import MaintenanceExperiment
from tests.drill.observer import observe
from tests.e2e.synthetic_monitors import delete_cluster_objects
from tests.support import images
from tests.support.cluster import RELEASE, Cluster, check_settings
from tests.support.commands import CommandError, comma_separated
from tests.support.steps import Progress, StepFailed, StepRunner

JOURNEYS = (
    *(f"{service}-health" for service in SERVICES),
    *("auth-login", "clients-crud", "products-crud", "inventory-purchase"),
)
MINIMAL = {
    **{f"{service}.replicas": "1" for service in SERVICES},
    **{f"synthetic.monitors.{name}": "null" for name in JOURNEYS},  # the drill creates its monitors
    **manifests.NOTIFY_VALUES,
}
KINDS = ("faults", "troubles", "calm", "maintenance")
FAILURES = (CommandError, promtool.PromtoolError, httpx.HTTPError)

report = Progress("drill")


def main() -> int:
    """Install the release, run the drill, print its results, and return 1 after a miss."""
    options = _parser().parse_args()
    check_settings()
    tag = options.tag or f"drill-{int(time.time())}"
    name = options.namespace or f"cadastro-drill-{uuid.uuid4().hex[:6]}"
    cluster = Cluster(tag, namespace=name)
    run = {
        "faults": _run_faults,
        "troubles": _run_monitor_faults,
        "calm": _count_false_alarms,
        "maintenance": _check_maintenance,
    }
    try:
        if not options.tag:
            report("images")
            images.build(tag)
        passed = run[options.what](cluster, options)
    except (StepFailed, *FAILURES) as error:
        report(str(error))
        passed = False
    finally:
        if not options.keep:
            delete_cluster_objects(cluster)
            cluster.remove_namespace()
    return 0 if passed else 1


def _run_faults(cluster: Cluster, options: argparse.Namespace) -> bool:
    # an unused host: the drill reaches the ingress by a name that it creates
    url = _install(cluster, **MINIMAL, **{"ingress.host": f"{cluster.namespace}.example"})
    cases = runner.matrix(options.faults, options.services, options.by)
    rows: list[Row] = []
    try:
        with runner.prepared(cluster, url) as (target, observer):
            for row in runner.drill(target, observer, cases):
                rows.append(row)
                report(f"{row.fault} of {row.service}: {row.summary}")
    finally:
        found = sum(not row.misses for row in rows)
        print(runner.table(rows))
        print(f"{found} of {len(cases)} found for the right reason, and recovered")
    return found == len(cases)


def _check_maintenance(cluster: Cluster, _: argparse.Namespace) -> bool:
    url = _install(cluster, **MINIMAL, **{"ingress.host": f"{cluster.namespace}.example"})
    with runner.prepared(cluster, url) as (target, observer):
        print(MaintenanceExperiment(target, observer).check())
    return True


def _run_monitor_faults(cluster: Cluster, options: argparse.Namespace) -> bool:
    _install(cluster, **MINIMAL, **{"ingress.host": f"{cluster.namespace}.example"})
    steps = StepRunner(report, *FAILURES)
    with observe(cluster) as observer:
        harness = MonitorHarness(cluster, observer)
        for name in options.troubles:
            inject = faults_of_monitors.FAULTS[name]
            try:
                result = steps.run(name, partial(inject, harness))
            finally:
                cluster.kubectl("delete", "synmon", NAME, "--ignore-not-found")
            print(f"{result.status:6}{name:11}{inject.__doc__} {result.detail}", flush=True)
    return steps.all_ok


def _count_false_alarms(cluster: Cluster, options: argparse.Namespace) -> bool:
    url = _install(cluster)
    _install(cluster, **{"synthetic.target.url": url})
    cluster.kubectl("wait", "--for=condition=Ready", "synmon", "--all", "--timeout=2m")
    with observe(cluster) as observer:
        counts = FalseAlarms(cluster, observer)
        counts.run(url, options.runs)
    print(counts)
    return not (counts.unhealthy or counts.flaps)


def _install(cluster: Cluster, **values: str) -> str:
    """Install or upgrade the release; return its URL."""
    report("install")
    if not cluster.exists():
        cluster.make_namespace()
    cluster.install("upgrade" if cluster.has_release() else "install", **values)
    cluster.wait_for_rollouts(f"deployment/{RELEASE}-synthetic")
    return cluster.url()


def _parser() -> argparse.ArgumentParser:

    parser = argparse.ArgumentParser(
        prog="make drill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 every fault was found for the right reason, alerted, notified and "
        "recovered; 1 one was not.",
    )
    parser.add_argument("--what", choices=KINDS, default="faults")
    lists = {
        "--faults": [fault.name for fault in FAULTS],
        "--troubles": list(faults_of_monitors.FAULTS),
        "--services": list(SERVICES),
    }
    for option, choices in lists.items():
        parser.add_argument(
            option,
            type=comma_separated(choices),
            default="",
            help=f"some of {','.join(choices)} (all)",
        )
    parser.add_argument(
        "--by",
        choices=runner.TRIGGERS,
        default="both",
        help="the trigger of the runs: requests, the schedule, or the schedule for one service "
        "of each fault (both)",
    )
    parser.add_argument("--runs", type=int, default=300, help="the runs of --what calm (300)")
    parser.add_argument("--tag", default="", help="the tag of pushed images (they are built)")
    parser.add_argument("--namespace", default="", help="the namespace (a new one)")
    parser.add_argument("--keep", action="store_true", help="keep the namespace for inspection")
    return parser


if __name__ == "__main__":
    sys.exit(main())
