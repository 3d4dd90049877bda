"""What must cost no request: restarts, a migration, an upgrade and its way back."""

from alembic.script import ScriptDirectory

from localstack.catalogue import SERVICES
from servicekit.db import migrate
from tests.e2e.background_load import Load
from tests.e2e.context import Trial, check, nothing_failed, rounds
from tests.e2e.locust_load import loaded
from tests.support.cluster import NOT_TRIED, RELEASE

REVISION = '''"""One more revision, for a trial."""

from alembic import op

revision = "{name}"
down_revision = "{head}"


def upgrade() -> None:
    """Expand."""
    op.execute("ALTER TABLE clients ADD COLUMN trial text")
    op.execute("CREATE INDEX ix_clients_trial ON clients (trial)")
    op.execute("{last}")
'''


def roll(trial: Trial) -> str:
    """Restart every service, while the load goes on."""
    with Load(trial.url) as load:
        for _ in rounds(trial.rounds.rolled):
            _restart(trial)
    return nothing_failed(load)


def load(trial: Trial) -> str:
    """Let Locust's workers load the ingress, and restart every service meanwhile."""
    if not trial.cluster.knows_the_url:
        return NOT_TRIED
    with loaded(trial.cluster, trial.url) as run:
        _restart(trial)
    return run.verdict()


def migrated(trial: Trial) -> str:
    """Upgrade clients to a release with one more migration, while the load goes on; roll back."""
    tag = with_revision(trial, "trial", "SELECT 1")
    with Load(trial.url) as load:
        trial.cluster.install("upgrade", **{"clients.image.tag": tag})
        query = "SELECT version_num FROM alembic_version"
        seen = trial.cluster.sql("clients", query)
        trial.cluster.helm("rollback")
    check(seen == "trial", f"the database is at {seen}")
    return f"{nothing_failed(load)}; the release of before works on the new schema"


def upgrade(trial: Trial) -> str:
    """Change a value and roll it back, while the load goes on; secrets stay as they are."""
    before = trial.cluster.secrets()
    with Load(trial.url) as load:
        trial.cluster.install("upgrade", **{"clients.logLevel": "WARNING"})
        trial.cluster.helm("rollback")
    check(trial.cluster.secrets() == before, "secrets changed")
    return nothing_failed(load)


def _restart(trial: Trial) -> None:
    """Restart one service after the other.

    All at once, their starts take every core of a small node, and an ingress controller that asks
    for no CPU gets none: what is measured then is how long it waits.
    """
    for service in SERVICES:
        name = f"deployment/{RELEASE}-{service}"
        trial.cluster.kubectl("rollout", "restart", name)
        trial.cluster.wait_for_rollouts(name)


def with_revision(trial: Trial, name: str, last: str) -> str:
    """Push an image of clients with one more revision that ends with ``last``; return its tag."""
    head = ScriptDirectory.from_config(migrate.configuration("clients")).get_current_head()
    file = f"app/src/clients/migrations/versions/9999_{name}.py"
    tag = f"{trial.cluster.tag}-{name}"
    text = REVISION.format(name=name, head=head, last=last)
    trial.cluster.derive("clients", tag, {file: text})
    return tag
