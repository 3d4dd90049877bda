"""Results as JSON."""

import json
from collections.abc import Sequence

from synthetic.probe.results import RunResult


def format_json(runs: Sequence[RunResult]) -> str:
    """Return one run as an object, or several ones as an object with the member `runs`."""
    if len(runs) == 1:
        return json.dumps(runs[0].to_dict())
    passed = sum(run.result == "passed" for run in runs)
    return json.dumps(
        {"v": 1, "passed": passed, "total": len(runs), "runs": [run.to_dict() for run in runs]}
    )
