"""Breaks each service of a release in each way, and looks what its monitor and the alerts say.

It works on the cluster that KUBECONFIG names, in a namespace of its own, with images that it
pushes to REGISTRY. The alerts are those of charts/synthetic, judged by a real Prometheus. Runs
are requested, but for one service of each fault, whose runs come by schedule alone.

`--what troubles` breaks the monitors instead: none may then be said to fail. `--what calm` breaks
nothing: it looks for false alarms under load, while each service is rolled.
"""

import argparse
import sys
import time
import uuid
from collections.abc import Iterable

import httpx

from localstack.catalogue import SERVICES
from scripts.charts import promtool
from tests.drill import monitor_faults, runner
from tests.drill.experiment import Row
from tests.drill.false_alarms import Calm
from tests.drill.faults import FAULTS
from tests.drill.harness import NAME, Scene
from tests.drill.observer import look_out
from tests.e2e.context import MissError
from tests.e2e.monitoring import forget_definition
from tests.support.cluster import RELEASE, Cluster, ClusterError, check_settings

JOURNEYS = (
    *(f"{service}-health" for service in SERVICES),
    *("auth-login", "clients-crud", "products-crud", "inventory-purchase"),
)
SMALL = {
    **{f"{service}.replicas": "1" for service in SERVICES},
    **{f"synthetic.monitors.{name}": "null" for name in JOURNEYS},  # the drill has its own
}


def main() -> int:
    """Install, drill, print what was seen, and return 1 when something was missed."""
    options = _parser().parse_args()
    check_settings()
    tag = options.tag or f"drill-{int(time.time())}"
    name = options.namespace or f"cadastro-drill-{uuid.uuid4().hex[:6]}"
    cluster = Cluster(tag, namespace=name)
    act = {"faults": _faults, "troubles": _troubles, "calm": _calm}[options.what]
    try:
        if not options.tag:
            _say("images")
            cluster.build()
        well = act(cluster, options)
    except (ClusterError, MissError, promtool.PromtoolError, httpx.HTTPError) as error:
        sys.stderr.write(f"drill: {error}\n")
        well = False
    finally:
        if not options.keep:
            forget_definition(cluster)
            cluster.remove_namespace()
    return 0 if well else 1


def _faults(cluster: Cluster, options: argparse.Namespace) -> bool:
    # a host that nobody else's Ingress has: the drill's way in is a name of its own
    url = _install(cluster, **SMALL, **{"ingress.host": f"{cluster.namespace}.example"})
    parts = runner.whole(options.faults, options.services, options.by)
    rows: list[Row] = []
    try:
        for row in runner.drill(cluster, url, parts):
            rows.append(row)
            _say(f"{row.fault} of {row.service}: {row.told}")
    finally:
        found = sum(not row.misses for row in rows)
        print(runner.table(rows))
        print(f"{found} of {len(parts)} found for the right reason, and recovered")
    return found == len(parts)


def _troubles(cluster: Cluster, options: argparse.Namespace) -> bool:
    _install(cluster, **SMALL, **{"ingress.host": f"{cluster.namespace}.example"})
    well = True
    with look_out(cluster) as lookout:
        for name in options.troubles:
            _say(name)
            make = monitor_faults.TROUBLES[name]
            try:
                told, result = make(Scene(cluster, lookout)), "ok"
            except (MissError, ClusterError, httpx.HTTPError) as error:
                told, result, well = str(error), "MISS", False
            finally:
                cluster.kubectl("delete", "synmon", NAME, "--ignore-not-found")
            print(f"{result:6}{name:11}{make.__doc__} {told}", flush=True)
    return well


def _calm(cluster: Cluster, options: argparse.Namespace) -> bool:
    url = _install(cluster)
    _install(cluster, **{"synthetic.target.url": url})
    cluster.kubectl("wait", "--for=condition=Ready", "synmon", "--all", "--timeout=2m")
    with look_out(cluster) as lookout:
        seen = Calm(cluster, lookout)
        seen.watch(url, options.runs)
    print(seen)
    return not (seen.unhealthy or seen.flaps)


def _install(cluster: Cluster, **values: str) -> str:
    """Install or upgrade the release; return its URL."""
    _say("install")
    if not cluster.exists():
        cluster.make_namespace()
    cluster.install("upgrade" if cluster.has_release() else "install", **values)
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 every fault was found for the right reason and alerted, and\n"
        "everything recovered; 1 something was missed.",
    )
    parser.add_argument("--what", choices=("faults", "troubles", "calm"), default="faults")
    parser.add_argument(
        "--faults",
        type=lambda text: _chosen(faults, text),
        default="",
        help=f"some of {','.join(faults)} (all)",
    )
    parser.add_argument(
        "--troubles",
        type=lambda text: _chosen(monitor_faults.TROUBLES, text),
        default="",
        help=f"some of {','.join(monitor_faults.TROUBLES)} (all)",
    )
    parser.add_argument(
        "--services",
        type=lambda text: _chosen(SERVICES, text),
        default="",
        help=f"some of {','.join(SERVICES)} (all)",
    )
    parser.add_argument(
        "--by",
        choices=runner.WAYS,
        default="both",
        help="what starts the runs: requests, the schedule, or the schedule for one service of "
        "each fault (both)",
    )
    parser.add_argument("--runs", type=int, default=300, help="how many when calm (300)")
    parser.add_argument("--tag", default="", help="images that are pushed already (they are built)")
    parser.add_argument("--namespace", default="", help="where to work (a new one)")
    parser.add_argument("--keep", action="store_true", help="leave the namespace, to look at it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
