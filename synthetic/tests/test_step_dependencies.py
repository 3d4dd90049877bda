"""The order of steps that `dependsOn` demands (Arazzo 1.1), against a scripted server."""

from pathlib import Path

import pytest

from synthetic.probe.results import ProbeError
from tests.support.synthetic.scripted_api import (
    PASSED,
    ScriptedApi,
    run_workflow,
    step,
    workflow,
    write_arazzo,
)


def test_a_step_runs_after_the_steps_that_it_depends_on(api: ScriptedApi, tmp_path: Path) -> None:
    last = step("c", dependsOn=["a", "b"])
    file = write_arazzo(tmp_path, workflow(step("a"), step("b"), last), arazzo="1.1.0")
    assert run_workflow(api, file).result == PASSED
    skipping = workflow(
        step("a", onSuccess=[{"name": "skip", "type": "goto", "stepId": "c"}]), step("b"), last
    )
    result = run_workflow(api, write_arazzo(tmp_path, skipping, arazzo="1.1.0"))
    assert (result.result, result.step) == ("error", "c")
    assert "it depends on b, which has not run" in result.detail


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_step_that_depends_on_a_later_one_is_a_mistake(
    api: ScriptedApi, tmp_path: Path, name: str
) -> None:
    steps = step("a", dependsOn=[name]), step("b")
    file = write_arazzo(tmp_path, workflow(*steps), arazzo="1.1.0")
    with pytest.raises(ProbeError, match=f"the step {name} runs later: move it before this one"):
        run_workflow(api, file)
    assert api.calls == []
