"""What people get wrong: each is named, and the release that runs goes on serving."""

import contextlib

from cluster import CHART, RELEASE, ClusterError
from rollouts import with_revision
from traffic import Load
from trial import MissError, Trial, check, nothing_failed

NOWHERE = "nowhere"


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
        answer = trial.cluster.ask("alone-clients", "/clients/health")
    finally:
        trial.cluster.apply(manifests, verb="delete")
    return f"it answers {answer.strip()}"


def beside(trial: Trial) -> str:
    """Install a second release into the namespace; both serve, and the first keeps its secrets."""
    cluster, before = trial.cluster, trial.cluster.secrets()
    few = {f"{name}.replicas": "1" for name in ("auth", "clients", "products", "inventory")}
    with Load(trial.url) as load:
        cluster.install(release="second", **few, **{"ingress.host": "second.example"})
        answer = cluster.ask("second-clients", "/clients/health")
        cluster.helm("uninstall", release="second")
    after = cluster.secrets()
    check(before.items() <= after.items(), "the first one's secrets changed")
    try:
        cluster.install()
    except ClusterError as error:
        check(
            "cannot re-use a name" in str(error) or "cannot reuse a name" in str(error), str(error)
        )
    return f"the second answers {answer.strip()}; the first: {nothing_failed(load)}"
