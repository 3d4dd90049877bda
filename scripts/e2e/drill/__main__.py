"""Breaks each service of a release in each way, and looks what its monitor and the alerts say.

It works on the cluster that KUBECONFIG names, in a namespace of its own, with images that it
pushes to REGISTRY. The alerts are those of charts/synthetic, judged by a real Prometheus. Runs
are requested, but for one service of each fault, whose runs come by schedule alone.
"""

import argparse
import sys
import time
import uuid
from collections.abc import Iterable

import promtool
from cluster import RELEASE, Cluster, ClusterError, check_settings
from monitoring import forget_definition
from trial import SERVICES

from drill import conduct
from drill.exercise import Row
from drill.faults import FAULTS

JOURNEYS = (
    *(f"{service}-health" for service in SERVICES),
    *("auth-login", "clients-crud", "products-crud", "inventory-purchase"),
)
SMALL = {
    **{f"{service}.replicas": "1" for service in SERVICES},
    **{f"synthetic.monitors.{name}": "null" for name in JOURNEYS},  # the drill has its own
}


def main() -> int:
    """Install, drill, print the table, and return 1 when something was missed."""
    options = _parser().parse_args()
    check_settings()
    tag = options.tag or f"drill-{int(time.time())}"
    name = options.namespace or f"cadastro-drill-{uuid.uuid4().hex[:6]}"
    cluster = Cluster(tag, namespace=name)
    parts = conduct.whole(options.faults, options.services, options.by)
    rows: list[Row] = []
    try:
        url = _install(cluster, build=not options.tag)
        for row in conduct.drill(cluster, url, parts):
            rows.append(row)
            _say(f"{row.fault} of {row.service}: {row.told}")
    except (ClusterError, promtool.PromtoolError) as error:
        sys.stderr.write(f"drill: {error}\n")
    finally:
        if not options.keep:
            forget_definition(cluster)
            cluster.remove_namespace()
    print(conduct.table(rows))
    found = sum(not row.misses for row in rows)
    print(f"{found} of {len(parts)} found for the right reason, and recovered")
    return 0 if found == len(parts) else 1


def _install(cluster: Cluster, *, build: bool) -> str:
    """Install the release, under a host that nobody else's Ingress has; return its URL."""
    if build:
        _say("images")
        cluster.build()
    _say("install")
    if not cluster.exists():
        cluster.make_namespace()
    verb = "upgrade" if cluster.has_release() else "install"
    cluster.install(verb, **SMALL, **{"ingress.host": f"{cluster.namespace}.example"})
    cluster.wait_for_rollouts(f"deployment/{RELEASE}-synthetic")
    return cluster.url()


def _say(what: str) -> None:
    print(f"drill: {what}", file=sys.stderr, flush=True)


def _chosen(among: Iterable[str], text: str) -> list[str]:
    """Return the names in a list with commas; all of them for an empty one."""
    known = list(among)
    chosen = [name for name in text.split(",") if name]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        message = f"there is no {', '.join(unknown)}; there are {', '.join(known)}"
        raise argparse.ArgumentTypeError(message)
    return [name for name in known if name in chosen] or known


def _parser() -> argparse.ArgumentParser:
    faults = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(
        prog="make drill",
        description=__doc__,
        epilog="Exit codes: 0 every fault was found for the right reason and alerted, and "
        "everything recovered; 1 something was missed.",
    )
    parser.add_argument(
        "--faults",
        type=lambda text: _chosen(faults, text),
        default="",
        help=f"some of {','.join(faults)} (all)",
    )
    parser.add_argument(
        "--services",
        type=lambda text: _chosen(SERVICES, text),
        default="",
        help=f"some of {','.join(SERVICES)} (all)",
    )
    parser.add_argument(
        "--by",
        choices=conduct.WAYS,
        default="both",
        help="what starts the runs: requests, the schedule, or the schedule for one service of "
        "each fault (both)",
    )
    parser.add_argument("--tag", default="", help="images that are pushed already (they are built)")
    parser.add_argument("--namespace", default="", help="where to work (a new one)")
    parser.add_argument("--keep", action="store_true", help="leave the namespace, to look at it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
