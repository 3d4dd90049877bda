"""Load shapes and their plans."""

import pytest

from load.harness.thresholds import PERCENTILES
from load.shapes import SHAPES, build_plan


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_begins_with_the_baseline_and_ends(shape: str) -> None:
    plan = build_plan(shape)
    assert plan.phases[0].name == "baseline"
    assert plan.at(plan.seconds - 0.01) is not None
    assert plan.at(plan.seconds) is None


def test_a_spike_is_five_times_the_load_before() -> None:
    loads = {phase.name: phase.begin for phase in build_plan("spike", load=10).phases}
    assert loads["spike"] == 5 * loads["before"]


@pytest.mark.parametrize("shape", SHAPES)
def test_phases_with_limits_have_enough_calls_for_a_median(shape: str) -> None:
    listed = 0.4 * 0.4  # of all actions: four of ten personas sell, and list what they sold
    for phase in build_plan(shape).phases[1:]:
        if phase.judged:
            calls = listed * phase.seconds * (phase.begin + phase.end) / 2
            assert calls > 2 * PERCENTILES["p50"][1], phase.name


def test_a_ramp_rises_linearly() -> None:
    plan = build_plan("ramp", load=105, seconds=100)
    loads = [current[1] for current in map(plan.at, (10, 60, 109.999)) if current]
    assert loads == pytest.approx([5, 55, 105], abs=0.1)


def test_a_truncated_plan_ends_within_its_phase() -> None:
    cut = build_plan("ramp", load=105, seconds=100).truncated(60)
    assert cut.seconds == 60
    assert [phase.name for phase in cut.phases] == ["baseline", "ramp"]
    assert cut.phases[-1].end == pytest.approx(55)
