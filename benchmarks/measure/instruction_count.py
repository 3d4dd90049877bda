"""Instructions of one request, which have no noise, compared with a saved baseline."""

import json
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure.callgrind import CallgrindSession, require_valgrind
from benchmarks.progress import report
from benchmarks.testbed.testbed import Testbed

BASELINE = Path(__file__).with_name("instructions.json")
MAX_GROWTH = 0.05
ROWS = 1_000


def count(operations: tuple[str, ...]) -> dict[str, int]:
    """Return the instructions of one request of each operation.

    Raises:
        BenchmarkError: valgrind is not installed, or the service failed.

    """
    require_valgrind()
    with Testbed() as testbed, tempfile.TemporaryDirectory() as folder:
        testbed.table.fill_all(ROWS)
        with CallgrindSession(testbed, Path(folder), ROWS) as session:
            return {operation: session.instructions(operation) for operation in operations}


def compare_with_baseline(counts: Mapping[str, int]) -> tuple[list[str], bool]:
    """Return a line for each operation, and True where none has grown too much."""
    version = platform.python_version()
    baseline = json.loads(BASELINE.read_text())
    if baseline["python"] != version:
        report(f"the baseline is of Python {baseline['python']}: no comparison")
        return [f"{name:8}{value:12,}" for name, value in counts.items()], True
    lines, is_met = [], True
    for name, value in counts.items():
        growth = value / baseline["instructions"][name] - 1
        has_grown = growth > MAX_GROWTH
        is_met &= not has_grown
        note = f"  more than {MAX_GROWTH:.0%} more" if has_grown else ""
        lines.append(f"{name:8}{value:12,}  {growth:+7.2%} since the baseline{note}")
    return lines, is_met


def save_baseline(counts: Mapping[str, int]) -> None:
    """Save the counts as the baseline."""
    baseline = {"python": platform.python_version(), "instructions": dict(counts)}
    BASELINE.write_text(json.dumps(baseline, indent=2) + "\n")
