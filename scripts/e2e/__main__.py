"""Tries the charts on a real cluster: build, install, buy, roll, upgrade, roll back, remove.

It works on the cluster that KUBECONFIG names, pushes images to REGISTRY, and asks INGRESS_URL, or
the address that the Ingress tells. Its namespace is its own, and is removed at the end.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from acceptance import accept
from cluster import RELEASE, Cluster, ClusterError, check_settings
from traffic import Load

from localstack.purchase import Purchase, PurchaseError

SERVICES = ("auth", "clients", "products", "inventory")
FIRST_PURCHASE = 90.0  # seconds from `helm install`
KEPT = "helm.sh/resource-policy"


class MissError(Exception):
    """What was seen is not what must be seen."""


class Trial:
    """The steps, in their order; each returns what it saw, in a few words."""

    def __init__(self, cluster: Cluster, rounds: int) -> None:
        """Try on ``cluster``; some steps are done ``rounds`` times."""
        self._cluster = cluster
        self._rounds = rounds
        self._url = ""

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Return the steps."""
        return [
            ("images built and pushed", self.build),
            ("install to first purchase", self.install),
            ("acceptance through the ingress", lambda: accept(self._cluster, self._url)),
            ("rolling restarts under load", self.roll),
            ("pods killed under load", self.kill),
            ("upgrade and roll back under load", self.upgrade),
            ("uninstall keeps secrets and data", self.reinstall),
        ]

    def build(self) -> str:
        """Build and push the images."""
        self._cluster.build()
        return f"tag {self._cluster.tag}"

    def install(self) -> str:
        """Install on an empty namespace, and buy through the ingress."""
        self._cluster.make_namespace()
        began = time.monotonic()
        self._cluster.install()
        self._url = self._cluster.url()
        self._buy()
        took = time.monotonic() - began
        check(took < FIRST_PURCHASE, f"it took {took:.0f} s")
        return f"{took:.0f} s"

    def roll(self) -> str:
        """Restart every service in turn, while the load goes on."""
        with Load(self._url) as load:
            for _ in range(self._rounds):
                for service in SERVICES:
                    name = f"deployment/{RELEASE}-{service}"
                    self._cluster.kubectl("rollout", "restart", name)
                    self._cluster.kubectl("rollout", "status", name, "--timeout=180s")
        return verdict(load)

    def kill(self) -> str:
        """Kill a pod of each service without notice: calls may fail, writes may not be lost."""
        with Load(self._url) as load:
            for _ in range(self._rounds):
                for service in SERVICES:
                    labels = f"app.kubernetes.io/name={service},app.kubernetes.io/component=service"
                    pods = self._cluster.kubectl("get", "pods", "-l", labels, "-o", "name").split()
                    self._cluster.kubectl("delete", pods[0], "--force", "--grace-period=0")
                    name = f"deployment/{RELEASE}-{service}"
                    self._cluster.kubectl("rollout", "status", name, "--timeout=180s")
        check(not load.lost, f"{len(load.lost)} acknowledged writes were lost")
        return f"0 of {load.total} writes and reads lost, {load.failed} calls failed"

    def upgrade(self) -> str:
        """Change a value and roll it back, while the load goes on; secrets stay as they are."""
        before = self._cluster.secrets()
        with Load(self._url) as load:
            self._cluster.install("upgrade", **{"clients.logLevel": "WARNING"})
            self._cluster.helm("rollback", "1")
        check(self._cluster.secrets() == before, "secrets changed")
        return verdict(load)

    def reinstall(self) -> str:
        """Uninstall, look at what is left, install again on the data that was kept."""
        with httpx.Client(base_url=self._url, timeout=10) as client:
            body = {"username": "permanece", "password": "Testando1"}
            client.post("/users/create", json=body).raise_for_status()
        secrets = self._cluster.secrets()
        self._cluster.helm("uninstall")
        left = self._left()
        check(not left, f"left behind: {', '.join(left)}")
        self._cluster.install()
        check(self._cluster.secrets() == secrets, "secrets changed")
        answer = httpx.post(f"{self._url}/users/login", auth=("permanece", "Testando1"), timeout=10)
        check(answer.status_code == httpx.codes.OK, f"the user is gone: {answer.status_code}")
        self._buy()
        return "only what is kept was left; the user of before logs in"

    def _left(self) -> list[str]:
        """Return what an uninstall has left that is not marked to be kept."""
        kinds = "deployments,jobs,services,ingresses,configmaps,secrets,pvc,pdb,networkpolicies"
        return [
            f"{item['kind']}/{item['metadata']['name']}"
            for item in self._cluster.objects(kinds)
            if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == RELEASE
            and KEPT not in item["metadata"].get("annotations", {})
        ]

    def _buy(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                Purchase(self._url).replay()
            except (PurchaseError, httpx.HTTPError) as error:
                if time.monotonic() > deadline:
                    message = f"no purchase through {self._url}: {error}"
                    raise MissError(message) from error
                time.sleep(0.5)  # the ingress has yet to hear of the endpoints
            else:
                return


def check(is_so: object, otherwise: str) -> None:
    """Raise ``MissError`` unless it is so."""
    if not is_so:
        raise MissError(otherwise)


def verdict(load: Load) -> str:
    """Return what a load saw; raises ``MissError`` when a call failed or a write was lost."""
    check(not load.lost, f"{len(load.lost)} acknowledged writes were lost")
    check(not load.failed, f"{load.failed} of {load.total} calls failed: {dict(load.answers)}")
    return f"0 of {load.total} calls failed"


@contextmanager
def timed(rows: list[tuple[str, str, str, float]], name: str) -> Iterator[list[str]]:
    """Run a step, and add its row to the table."""
    print(f"e2e: {name} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    seen: list[str] = []
    result = "ok"
    try:
        yield seen
    except (ClusterError, MissError, httpx.HTTPError) as error:
        result = "MISS"
        seen.append(str(error))
    rows.append((result, name, " ".join(seen), time.monotonic() - began))


def main() -> int:
    """Run the steps, print the table, and return 1 when one missed."""
    parser = argparse.ArgumentParser(prog="make e2e", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often pods are rolled and killed"
    )
    parser.add_argument("--keep", action="store_true", help="leave the namespace, to look at it")
    options = parser.parse_args()
    check_settings()
    cluster = Cluster(tag=f"e2e-{int(time.time())}")
    rows: list[tuple[str, str, str, float]] = []
    try:
        for name, step in Trial(cluster, options.rounds).steps():
            with timed(rows, name) as seen:
                seen.append(step())
            if rows[-1][0] == "MISS":
                break  # what follows builds on it
    finally:
        if not options.keep:
            with timed([], "removing the namespace"):
                cluster.remove_namespace()
    for result, name, seen_text, seconds in rows:
        print(f"{result:6}{name:36}{seconds:7.1f} s  {seen_text}")
    return 0 if all(row[0] == "ok" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
