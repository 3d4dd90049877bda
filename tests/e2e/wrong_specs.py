"""Wrong specs and documents, applied beside the operator of the chart."""

from tests.e2e.context import Context, report
from tests.e2e.standalone_chart import standalone_release
from tests.operator.namespace import existing_namespace
from tests.operator.validation import check_wrong_specs


def explain_wrong_specs(context: Context) -> str:
    """Apply the list: each is refused or Ready=False, and each message names place and fix."""
    with (
        context.cluster.scratch_namespace("wrong") as cluster,
        standalone_release(cluster, "--set", "watch.gatewayApi=true"),
        existing_namespace(cluster.namespace) as namespace,
    ):
        return check_wrong_specs(namespace, report)
