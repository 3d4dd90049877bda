"""Failed upgrades and installs: the error is named, and the running release keeps serving."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from devstack.service_catalog import SERVICES
from tests.e2e.background_load import BackgroundLoad
from tests.e2e.context import Context, check_no_failure, check_no_loss
from tests.e2e.rollouts import image_with_migration
from tests.support.cluster import CHART, RELEASE, Cluster
from tests.support.commands import CommandError
from tests.support.steps import StepFailed, check

MISSING, SECOND, ALONE = "nowhere", "second", "alone"
INSTANCE = "app.kubernetes.io/instance"
POSTGRESQL = f"pod/{RELEASE}-postgresql-0"
WAITING = "clients: waiting: the database is unavailable"
FINALIZER = {"metadata": {"finalizers": ["e2e.cadastro.dev/held"]}}


def fail_upgrade(context: Context) -> str:
    """Upgrade to a missing image, a missing Secret and a failing migration together."""
    cluster = context.cluster
    values = {
        "clients.image.tag": image_with_migration(context, "broken", "SELECT 1 / 0"),
        "products.image.tag": MISSING,
        "inventory.database.existingSecret": MISSING,
    }
    with BackgroundLoad(context.url) as load:
        with contextlib.suppress(CommandError):
            cluster.install("upgrade", wait="75s", **values)
            raise StepFailed("the upgrade succeeded")
        messages = "\n".join(cluster.container_messages())
        cluster.helm("rollback")
    for expected in (
        f"cadastro/products:{MISSING}",
        f'secret "{MISSING}" not found',
        "cannot migrate clients: division by zero",
    ):
        check(expected in messages, f"no message has {expected!r}: {messages}")
    context.buy()
    return f"image, Secret and migration are named; {check_no_failure(load)}"


def upgrade_without_database(context: Context) -> str:
    """Upgrade without PostgreSQL: the error names it, nothing restarts, a retry succeeds."""
    cluster, before = context.cluster, context.cluster.restarts()
    values = {"clients.resources.requests.cpu": "60m"}  # new pods, and a new Job for the migration
    with BackgroundLoad(context.url) as load:
        with stopped_postgresql(cluster):
            with contextlib.suppress(CommandError):
                cluster.install("upgrade", wait="75s", **values)
                raise StepFailed("the upgrade succeeded")
            messages, alive = "\n".join(cluster.container_messages()), _check_alive(cluster)
            logs = "".join(
                cluster.kubectl("logs", pod, "-c", "wait-for-migration")
                for pod in cluster.pods("clients", "Pending")
            )
        load.wait_for_a_write()
        cluster.install("upgrade", **values)
    summary = check_no_loss(load)
    check("cannot migrate clients: " in messages, f"no Job names the database: {messages}")
    check(WAITING in logs, f"no new pod reports the reason of its wait: {logs}")
    restarts = (cluster.restarts() - before).total()
    check(not restarts, f"{restarts} containers were restarted")
    context.buy()
    return f"Job and pods name it, {alive} pods stayed alive, upgraded afterwards; {summary}"


@contextlib.contextmanager
def stopped_postgresql(cluster: Cluster) -> Iterator[None]:
    """Stop PostgreSQL during the block: its pod ends, and a finalizer delays its replacement."""
    # an upgrade would restore a scaled StatefulSet, but does not touch a terminating pod
    cluster.kubectl("patch", POSTGRESQL, "--type=merge", "-p", json.dumps(FINALIZER))
    try:
        cluster.kubectl("delete", POSTGRESQL, "--wait=false")
        yield
    finally:
        no_finalizer = json.dumps({"metadata": {"finalizers": None}})
        cluster.kubectl("patch", POSTGRESQL, "--type=merge", "-p", no_finalizer)


def _check_alive(cluster: Cluster) -> int:
    """Check the liveness of every service pod, and return their count."""
    pods = [pod for service in SERVICES for pod in cluster.pods(service, "Running")]
    for pod in pods:
        cluster.proxy_get(f"pods/{pod}", "/-/live")
    return len(pods)


def apply_template_over_release(context: Context) -> str:
    """Apply the output of `helm template`, which reads no existing Secrets, over the release."""
    manifests = context.cluster.template(RELEASE, CHART, "--skip-tests")
    try:
        context.cluster.apply(manifests, "--dry-run=server")
    except CommandError as error:
        expected = (
            f'Secret "{RELEASE}-products-database" is invalid: data: Forbidden: field is immutable'
        )
        check(expected in str(error), f"the error has no {expected!r}: {error}")
        return "refused: the database's Secrets are immutable"
    raise StepFailed("new passwords would have been written")


def install_one_service(context: Context) -> str:
    """Install one service with `helm template | kubectl apply`, like a GitOps tool."""
    peers = ("auth", "inventory")
    options = [
        f"--set=database.existingSecret={RELEASE}-clients-database",
        f"--set=oauthClients.existingSecret={RELEASE}-oauth-clients",
        *(f"--set=peers.{peer}=http://{RELEASE}-{peer}:8000" for peer in peers),
        *context.cluster.images(),
        "--set=replicas=1",
    ]
    rendered = context.cluster.template(ALONE, "charts/clients", *options)
    manifests = f"{rendered}\n---\n{json.dumps(_database_access(context.cluster.namespace))}\n"
    try:
        context.cluster.apply(manifests)
        context.cluster.wait_for_rollouts(
            f"deployment/{ALONE}-clients", f"deployment/{ALONE}-clients-relay"
        )
        response = context.cluster.proxy_get(f"services/{ALONE}-clients:http", "/clients/health")
    finally:
        context.cluster.apply(manifests, verb="delete")
    return f"it returns {response.strip()}"


def _database_access(namespace: str) -> dict[str, Any]:
    """Return a policy that opens the release's PostgreSQL to the service of another release."""
    database = {"app.kubernetes.io/name": "postgresql", INSTANCE: RELEASE}
    peer = {"podSelector": {"matchLabels": {INSTANCE: ALONE}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{ALONE}-database", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": database},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 5432}], "from": [peer]}],
        },
    }


def install_second_release(context: Context) -> str:
    """Install a second release in the namespace; both serve, and the first keeps its secrets."""
    cluster, before = context.cluster, context.cluster.secrets()
    values = {f"{name}.replicas": "1" for name in SERVICES} | {
        "ingress.host": "second.example",
        "ingress.checkHosts": "false",  # the first one matches all hosts
    }
    with BackgroundLoad(context.url) as load:
        _check_refused(cluster, SECOND, f"{RELEASE}-synthetic", **values)
        cluster.install(release=SECOND, **values, **{"synthetic.enabled": "false"})
        response = cluster.proxy_get(f"services/{SECOND}-clients:http", "/clients/health")
        cluster.helm("uninstall", release=SECOND)
    after = cluster.secrets()
    check(before.items() <= after.items(), "the first one's secrets changed")
    _check_refused(cluster, RELEASE, "a name that is still in use")
    return f"the second returns {response.strip()}; the first: {check_no_failure(load)}"


def _check_refused(cluster: Cluster, release: str, expected: str, **values: str) -> None:
    """Check that the installation of a release fails, and that its error has ``expected``."""
    try:
        cluster.install(release=release, **values)
    except CommandError as error:
        check(expected in str(error), f"the error has no {expected!r}: {error}")
    else:
        raise StepFailed(f"{release} was installed")
