"""Backups of the release to a server of S3, restored into a new namespace and in place."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from tests.e2e.context import Context
from tests.support import images
from tests.support.cluster import RELEASE, Cluster
from tests.support.restricted_pod import restricted_pod
from tests.support.s3_server import KEY_ID, OPTIONS, PROGRAM, SECRET_KEY, identities
from tests.support.shop import Shop
from tests.support.steps import check, wait_until

S3, PORT, SECRET, CLAIM = "s3", 8333, "backups", "backups"
HOST = "restored.example"  # of the release in the new namespace
STOCK, BOUGHT = 500, 5
TIMEOUT_SECONDS = 120.0
SMALL = {f"{name}.replicas": "1" for name in ("auth", "clients", "products", "inventory")}


@dataclass(frozen=True)
class Past:
    """What a backup contains, and the identifiers that were issued after it."""

    kept: int  # a client with a purchase
    deleted: int  # a client, deleted after the backup
    product: int
    lost: int  # a client, created after the backup

    def check(self, shop: Shop, place: str) -> None:
        """Check what a user reads after a restore; raises ``StepFailed``."""
        for is_ready in (shop.has_client, shop.is_available):  # its connections have ended
            wait_until(
                partial(is_ready, self.kept), TIMEOUT_SECONDS, f"{place}: a client is missing"
            )
        check(shop.has_client(self.deleted), f"{place}: a deleted client is not back")
        stock = shop.product(self.product)["quantity"]
        check(stock == STOCK, f"{place}: the stock is {stock}")
        bought = [(self.product, BOUGHT)]
        for client in (self.kept, self.deleted):
            found = shop.purchases(client)
            check(found == bought, f"{place}: the client {client} has {found}")
        check(not shop.has_client(self.lost), f"{place}: a client is newer than the backup")
        client, product = shop.create_client(), shop.create_product(STOCK)
        check(client > self.lost, f"{place}: the identifier {client} is issued twice")
        check(product > self.product, f"{place}: the identifier {product} is issued twice")
        check(shop.purchases(client) == [], f"{place}: a new client has purchases")
        for buyer in (client, self.deleted):  # the inventory had a tombstone of the second
            shop.buy(buyer, product, 1)
            check((product, 1) in shop.purchases(buyer), f"{place}: {buyer} cannot buy")


def check_backups(context: Context) -> str:
    """Back up to S3, restore in a new namespace and in place, and back up to a volume there."""
    cluster = context.cluster
    with cluster.scratch_namespace("s3") as store, _settings(cluster, store) as values:
        with Shop(context.url) as shop:
            kept, deleted = shop.create_client(), shop.create_client()
            product = shop.create_product(STOCK)
            for client in (kept, deleted):
                shop.buy(client, product, BOUGHT)
            name = _run(cluster, "backup", "backup").splitlines()[-1]
            shop.delete_client(deleted)
            past = Past(kept, deleted, product, shop.create_client())
            user = shop.user
        lost = _restore_elsewhere(context, values, past, user)
        report = _report(_run(cluster, "restore", "restore"))
        check(report["set"] == name, f"{report['set']} was restored instead of {name}")
        with Shop(context.url, user=user) as shop:
            past.check(shop, "in place")
    context.buy()
    return f"{name} restored in a new namespace ({lost}), in place, and from a volume"


def _restore_elsewhere(
    context: Context, values: dict[str, str], past: Past, user: tuple[str, str]
) -> str:
    """Install a release in a new namespace, and restore it there from S3 and from a volume."""
    with context.cluster.scratch_namespace("restored") as target:
        _create_secret(target)
        target.install(**SMALL, **values, **_apart())
        _wait_for_routes(context.url, target.namespace)
        with Shop(context.url, HOST) as other:
            other.buy(other.create_client(), other.create_product(1), 1)
        report = _report(_run(target, "restore", "from-s3"))
        with Shop(context.url, HOST, user) as shop:
            past.check(shop, "in a new namespace")
        target.apply(json.dumps(_claim()))
        volume = {"backup.s3.bucket": "", "backup.existingClaim": CLAIM}
        target.install("upgrade", **SMALL, **{**values, **volume}, **_apart())
        _wait_for_routes(context.url, target.namespace)
        with Shop(context.url, HOST, user) as shop:
            kept = shop.create_client()
            _run(target, "backup", "to-volume")
            newer = shop.create_client()
        _run(target, "restore", "from-volume")
        with Shop(context.url, HOST, user) as shop:
            check(shop.has_client(kept), "a client is missing after the restore from a volume")
            check(not shop.has_client(newer), "the restore from a volume had no effect")
            check(shop.create_client() > newer, "an identifier is issued twice after a volume")
    counts = report["restored"]["clients"]["clients"]
    return f"{counts['back']} clients came, {counts['lost']} went"


def _apart() -> dict[str, str]:
    """Return the values of a release beside the first one, which matches all hosts."""
    return {
        "ingress.host": HOST,
        "ingress.checkHosts": "false",
        "synthetic.enabled": "false",
    }


def _wait_for_routes(url: str, namespace: str) -> None:
    """Wait until the ingress routes the host to each service of a namespace.

    Without its endpoints, it routes to the release that matches all hosts.
    """

    def is_routed(path: str) -> bool:
        with suppress(httpx.HTTPError):
            response = httpx.get(f"{url}{path}/health", headers={"Host": HOST})
            instance = response.headers.get("Cadastro-Instance", "")
            return bool(response.is_success and instance.startswith(f"{namespace}/"))
        return False

    for path in ("/users", "/clients", "/products", "/inventory"):
        message = f"{HOST}{path} is not routed to {namespace}"
        wait_until(partial(is_routed, path), TIMEOUT_SECONDS, message)


@contextmanager
def _settings(cluster: Cluster, store: Cluster) -> Iterator[dict[str, str]]:
    """Run S3 in a namespace, and enable the backups of the release until the block ends."""
    images.build_program(S3, cluster.tag, PROGRAM)
    labels = {"app": S3}
    command = ["/program", "server", *OPTIONS, f"-s3.port={PORT}", "-s3.config=/etc/s3/s3.json"]
    pod = restricted_pod(S3, labels, cluster.tag, [*command, "-dir=/tmp"], PORT)
    container = pod["spec"]["containers"][0]
    container["image"] = f"{images.repository()}/{S3}:{cluster.tag}"
    container["volumeMounts"].append({"name": "config", "mountPath": "/etc/s3"})
    pod["spec"]["volumes"].append({"name": "config", "secret": {"secretName": S3}})
    service = {"selector": labels, "ports": [{"port": PORT}]}
    items: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Secret", "stringData": {"s3.json": identities()}},
        {"apiVersion": "v1", "kind": "Service", "spec": service},
        pod,
    ]
    for item in items:
        item.setdefault("metadata", {"name": S3})
    store.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    store.kubectl("wait", "--for=condition=Ready", f"pod/{S3}", f"--timeout={store.timeout}")
    _create_secret(cluster)
    values = {
        "backup.enabled": "true",
        "backup.s3.bucket": "backups",
        "backup.s3.prefix": RELEASE,
        "backup.s3.endpoint": f"http://{S3}.{store.namespace}.svc.cluster.local:{PORT}",
        "backup.s3.existingSecret": SECRET,
    }
    cluster.install("upgrade", **values)
    try:
        yield values
    finally:
        cluster.install("upgrade")


def _create_secret(cluster: Cluster) -> None:
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    options = [f"--from-literal={name}={value}" for name, value in keys.items()]
    cluster.kubectl("create", "secret", "generic", SECRET, *options)


def _claim() -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": CLAIM}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
    }


def _run(cluster: Cluster, kind: str, job: str) -> str:
    """Run a Job of the CronJob of backups or restores, and return the log of its first command."""
    cluster.kubectl("create", "job", job, f"--from=cronjob/{RELEASE}-{kind}")

    def is_finished() -> bool:
        status = json.loads(cluster.kubectl("get", "job", job, "-o", "json"))["status"]
        kinds = {each["type"] for each in status.get("conditions", [])}
        messages = "; ".join(cluster.container_messages())
        check("Failed" not in kinds, f"the {kind} failed: {messages}")
        return "Complete" in kinds

    wait_until(is_finished, TIMEOUT_SECONDS, f"the Job {job} does not end", interval=1)
    return cluster.kubectl("logs", f"job/{job}", "-c", kind)


def _report(log: str) -> dict[str, Any]:
    """Return the report in the log of a restore."""
    found: dict[str, Any] = json.loads(log.strip().splitlines()[-1])
    return found
