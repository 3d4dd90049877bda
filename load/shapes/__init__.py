"""Load shapes; the docstring of each module's ``phases`` has its numbers."""

from collections.abc import Callable, Mapping

from load.shapes import ramp, rollout, smoke, soak, spike, steady, step
from load.shapes.phases import Model, Phase, Plan

SHAPES: Mapping[str, Callable[..., tuple[Phase, ...]]] = {
    "smoke": smoke.phases,
    "steady": steady.phases,
    "ramp": ramp.phases,
    "spike": spike.phases,
    "soak": soak.phases,
    "rollout": rollout.phases,
    "step": step.phases,
}


def build_plan(
    shape: str, model: Model = "open", load: float | None = None, seconds: float | None = None
) -> Plan:
    """Return the plan of a shape.

    Args:
        shape: one of ``SHAPES``.
        model: open, where arrivals are independent of responses, or closed, where users wait.
        load: actions a second, or users in the closed model; by default the shape's own.
        seconds: duration of the main phase; by default the shape's own.

    """
    settings = {"load": load, "seconds": seconds}
    given = {name: value for name, value in settings.items() if value is not None}
    return Plan(shape, model, SHAPES[shape](**given))
