"""Restarts, a migration, an upgrade and its rollback under load: no request may fail."""

from alembic.script import ScriptDirectory

from devstack.service_catalog import SERVICES
from servicekit.db.migrate import configuration as alembic_configuration
from tests.e2e.background_load import BackgroundLoad
from tests.e2e.context import Context, check_no_failure, repeat
from tests.e2e.locust_load import locust_load
from tests.support import images
from tests.support.cluster import RELEASE, UNREACHABLE_FROM_PODS
from tests.support.steps import check

REVISION = '''"""Another revision, for a test."""

from alembic import op

revision = "{name}"
down_revision = "{head}"


def upgrade() -> None:
    """Expand."""
    op.execute("ALTER TABLE clients ADD COLUMN trial text")
    op.execute("CREATE INDEX ix_clients_trial ON clients (trial)")
    op.execute("{statement}")
'''


def restart(context: Context) -> str:
    """Restart every service under load."""
    with BackgroundLoad(context.url) as load:
        for _ in repeat(context.repetitions.restarts):
            _restart_all(context)
    return check_no_failure(load)


def restart_under_locust(context: Context) -> str:
    """Restart every service while the workers of Locust load the ingress."""
    if not context.cluster.is_reachable_from_pods:
        return UNREACHABLE_FROM_PODS
    with locust_load(context.cluster, context.url) as run:
        _restart_all(context)
    return run.summary()


def migrate(context: Context) -> str:
    """Upgrade clients to a release with another migration under load, and roll back."""
    tag = image_with_migration(context, "trial", "SELECT 1")
    with BackgroundLoad(context.url) as load:
        context.cluster.install("upgrade", **{"clients.image.tag": tag})
        query = "SELECT version_num FROM alembic_version"
        revision = context.cluster.sql("clients", query)
        context.cluster.helm("rollback")
    check(revision == "trial", f"the database is at {revision}")
    return f"{check_no_failure(load)}; the previous release works on the new schema"


def upgrade(context: Context) -> str:
    """Change a value and roll back under load; the secrets stay the same."""
    before = context.cluster.secrets()
    with BackgroundLoad(context.url) as load:
        context.cluster.install("upgrade", **{"clients.logLevel": "WARNING"})
        context.cluster.helm("rollback")
    check(context.cluster.secrets() == before, "secrets changed")
    return check_no_failure(load)


def _restart_all(context: Context) -> None:
    """Restart one service after the other.

    Simultaneous starts take every core of a small node. An ingress controller without a CPU
    request then gets no CPU time, and the load measures its delay.
    """
    for service in SERVICES:
        name = f"deployment/{RELEASE}-{service}"
        context.cluster.kubectl("rollout", "restart", name)
        context.cluster.wait_for_rollouts(name)


def image_with_migration(context: Context, name: str, statement: str) -> str:
    """Push an image of clients with another revision that ends with a statement; return its tag."""
    head = ScriptDirectory.from_config(alembic_configuration("clients")).get_current_head()
    file = f"app/src/clients/migrations/versions/9999_{name}.py"
    tag = f"{context.cluster.tag}-{name}"
    text = REVISION.format(name=name, head=head, statement=statement)
    images.build_variant("clients", context.cluster.tag, tag, {file: text})
    return tag
