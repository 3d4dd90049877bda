"""The shapes of a load over time; the numbers of each are in its docstring."""

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


def plan(
    shape: str, model: Model = "open", load: float | None = None, seconds: float | None = None
) -> Plan:
    """Return a shape's plan.

    Args:
        shape: one of ``SHAPES``.
        model: open, where arrivals wait for nobody, or closed, where each user waits for answers.
        load: actions a second, or users in the closed model; the shape's own when left out.
        seconds: how long its main phase lasts; the shape's own when left out.

    """
    settings = {"load": load, "seconds": seconds}
    given = {name: value for name, value in settings.items() if value is not None}
    return Plan(shape, model, SHAPES[shape](**given))
