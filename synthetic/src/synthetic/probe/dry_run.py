"""The requests that a journey would send, without sending them."""

from synthetic.probe.exchanges import masked_url
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.journey import Journey, Step
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import StepError
from synthetic.probe.runner import RunOptions
from synthetic.probe.runtime_values import Context
from synthetic.probe.servers import Servers
from synthetic.probe.target import Target


def describe_requests(journey: Journey, target: Target | None, options: RunOptions) -> str:
    """Return a line for each step: its id, the method, and the URL.

    A URL that depends on responses keeps the template of the path.

    Raises:
        ProbeError: an input or a server is missing.

    """
    servers = Servers(target, options.servers)
    context = Context(generate_inputs(journey.inputs, options.inputs))
    steps = [each for step in journey.steps for each in (step, step.cleanup) if each is not None]
    rows = [_row(step, context, servers) for step in steps]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
    lines = [f"{a.ljust(widths[0])}  {b.ljust(widths[1])}  {c}".rstrip() for a, b, c in rows]
    return "\n".join([*lines, "", f"{journey.name}: nothing was sent (--dry-run)"])


def _row(step: Step, context: Context, servers: Servers) -> tuple[str, str, str]:
    if isinstance(step.call, tuple):
        return step.step_id, "workflow", step.call[1]
    operation = step.operation
    try:
        path = build_request(step, context).path
    except StepError:
        path = operation.path
    return step.step_id, operation.method, masked_url(f"{servers.target(operation).url}{path}")
