"""An upgrade with the same chart and values, which must not change an object."""

from tests.e2e.context import Context
from tests.e2e.lifecycle import KINDS
from tests.support.cluster import RELEASE, Cluster
from tests.support.steps import check

Versions = dict[str, tuple[object, ...]]  # what an update changes, by kind and name


def upgrade_without_change(context: Context) -> str:
    """Repeat the installation as an upgrade, and compare all objects of the release."""
    before = _versions(context.cluster)
    context.cluster.install("upgrade")
    after = _versions(context.cluster)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    check(not changed, f"{len(changed)} objects changed: {', '.join(sorted(changed))}")
    context.buy()
    return f"0 of {len(before)} objects changed"


def _versions(cluster: Cluster) -> Versions:
    """Return what an update changes of each object that the release renders.

    A generation counts changes of the spec; kinds without one have no status that changes.
    """
    return {
        f"{item['kind']}/{metadata['name']}": (
            metadata["uid"],
            metadata.get("generation") or metadata["resourceVersion"],
            metadata["labels"],
            metadata.get("annotations"),
        )
        for item in cluster.objects(f"{KINDS},synmon")
        if (metadata := item["metadata"]).get("labels", {}).get("app.kubernetes.io/instance")
        == RELEASE
        and "ownerReferences" not in metadata
    }
