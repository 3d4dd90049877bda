"""What people get wrong: each is named, and the release that runs goes on serving."""

import contextlib
import json
from collections.abc import Iterator

from localstack.catalogue import SERVICES
from tests.e2e.background_load import Load
from tests.e2e.context import MissError, Trial, check, nothing_failed, nothing_lost
from tests.e2e.rollouts import with_revision
from tests.support.cluster import CHART, RELEASE, Cluster, ClusterError

NOWHERE, SECOND = "nowhere", "second"
POSTGRESQL = f"pod/{RELEASE}-postgresql-0"
AWAY = "clients: waiting: the database does not answer"
HELD = {"metadata": {"finalizers": ["trial.cadastro.dev/held"]}}


def bad_upgrade(trial: Trial) -> str:
    """Upgrade to a missing image, a missing Secret and a migration that fails, all at once."""
    cluster = trial.cluster
    values = {
        "clients.image.tag": with_revision(trial, "broken", "SELECT 1 / 0"),
        "products.image.tag": NOWHERE,
        "inventory.database.existingSecret": NOWHERE,
    }
    with Load(trial.url) as load:
        with contextlib.suppress(ClusterError):
            cluster.install("upgrade", wait="75s", **values)
            message = "the upgrade is said to have gone well"
            raise MissError(message)
        complaints = "\n".join(cluster.complaints())
        cluster.helm("rollback")
    for told in (
        f"cadastro/products:{NOWHERE}",
        f'secret "{NOWHERE}" not found',
        "cannot migrate clients: division by zero",
    ):
        check(told in complaints, f"nothing says {told!r}: {complaints}")
    trial.buy()
    return f"image, Secret and migration are named; {nothing_failed(load)}"


def database_away(trial: Trial) -> str:
    """Upgrade while PostgreSQL is away: it is named, nothing restarts, a second try succeeds."""
    cluster, before = trial.cluster, trial.cluster.restarts()
    values = {"clients.resources.requests.cpu": "60m"}  # other pods, and another migration's Job
    with Load(trial.url) as load:
        with postgresql_held_down(cluster):
            with contextlib.suppress(ClusterError):
                cluster.install("upgrade", wait="75s", **values)
                message = "the upgrade is said to have gone well"
                raise MissError(message)
            complaints, lives = "\n".join(cluster.complaints()), _alive(cluster)
            waits = "".join(
                cluster.kubectl("logs", pod, "-c", "wait-for-migration")
                for pod in cluster.pods("clients", "Pending")
            )
        load.wait_for_a_write()
        cluster.install("upgrade", **values)
    told = nothing_lost(load)
    check("cannot migrate clients: " in complaints, f"no Job names the database: {complaints}")
    check(AWAY in waits, f"no new pod tells what it waits for: {waits}")
    restarts = (cluster.restarts() - before).total()
    check(not restarts, f"{restarts} containers were restarted")
    trial.buy()
    return f"Job and pods name it, {lives} pods lived on, upgraded afterwards; {told}"


@contextlib.contextmanager
def postgresql_held_down(cluster: Cluster) -> Iterator[None]:
    """Have no PostgreSQL, as when its node is gone: the pod ends, and has no successor."""
    # what helm knows of it would be put back by an upgrade; a pod that does not go it leaves alone
    cluster.kubectl("patch", POSTGRESQL, "--type=merge", "-p", json.dumps(HELD))
    try:
        cluster.kubectl("delete", POSTGRESQL, "--wait=false")
        yield
    finally:
        free = json.dumps({"metadata": {"finalizers": None}})
        cluster.kubectl("patch", POSTGRESQL, "--type=merge", "-p", free)


def _alive(cluster: Cluster) -> int:
    """Return how many pods that serve say that they live; raises when one does not."""
    pods = [pod for service in SERVICES for pod in cluster.pods(service, "Running")]
    for pod in pods:
        cluster.ask(f"pods/{pod}", "/-/live")
    return len(pods)


def applied_twice(trial: Trial) -> str:
    """Apply the output of `helm template`, which cannot look, over the release."""
    manifests = trial.cluster.template(RELEASE, CHART, "--skip-tests")
    try:
        trial.cluster.apply(manifests, "--dry-run=server")
    except ClusterError as error:
        told = (
            f'Secret "{RELEASE}-products-database" is invalid: data: Forbidden: field is immutable'
        )
        check(told in str(error), f"nothing says {told!r}: {error}")
        return "refused: the database's Secrets are immutable"
    message = "new passwords would have been written"
    raise MissError(message)


def alone(trial: Trial) -> str:
    """Install one service by itself, as GitOps does: `helm template | kubectl apply`."""
    peers = ("auth", "inventory")
    options = [
        f"--set=database.existingSecret={RELEASE}-clients-database",
        f"--set=oauthClients.existingSecret={RELEASE}-oauth-clients",
        *(f"--set=peers.{peer}=http://{RELEASE}-{peer}:8000" for peer in peers),
        *trial.cluster.images(),
        "--set=replicas=1",
    ]
    manifests = trial.cluster.template("alone", "charts/clients", *options)
    try:
        trial.cluster.apply(manifests)
        trial.cluster.wait_for_rollouts(
            "deployment/alone-clients", "deployment/alone-clients-relay"
        )
        answer = trial.cluster.ask("services/alone-clients:http", "/clients/health")
    finally:
        trial.cluster.apply(manifests, verb="delete")
    return f"it answers {answer.strip()}"


def beside(trial: Trial) -> str:
    """Install a second release into the namespace; both serve, and the first keeps its secrets."""
    cluster, before = trial.cluster, trial.cluster.secrets()
    few = {f"{name}.replicas": "1" for name in SERVICES} | {"ingress.host": "second.example"}
    with Load(trial.url) as load:
        _refused(cluster, SECOND, f"{RELEASE}-synthetic", **few)
        cluster.install(release=SECOND, **few, **{"synthetic.enabled": "false"})
        answer = cluster.ask(f"services/{SECOND}-clients:http", "/clients/health")
        cluster.helm("uninstall", release=SECOND)
    after = cluster.secrets()
    check(before.items() <= after.items(), "the first one's secrets changed")
    _refused(cluster, RELEASE, "a name that is still in use")
    return f"the second answers {answer.strip()}; the first: {nothing_failed(load)}"


def _refused(cluster: Cluster, release: str, told: str, **values: str) -> None:
    """Try to install a release; raises ``MissError`` unless the refusal says ``told``."""
    try:
        cluster.install(release=release, **values)
    except ClusterError as error:
        check(told in str(error), f"nothing says {told!r}: {error}")
    else:
        message = f"{release} was installed"
        raise MissError(message)
