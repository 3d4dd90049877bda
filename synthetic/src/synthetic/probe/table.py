"""Format a run's result as a table for the terminal."""

from collections.abc import Sequence

from synthetic.probe.results import RunResult, StepResult

HEADER = ("step", "status", "ms", "dns", "connect", "tls", "first byte", "tries")


def format_table(run: RunResult) -> str:
    """Return a table of the steps, followed by a summary line."""
    rows = [HEADER, *(_row(step) for step in run.steps)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    marks = ["", *map(_mark, run.steps)]
    return "\n".join([*map("".join, zip(lines, marks, strict=True)), "", format_summary(run)])


def format_tables(runs: Sequence[RunResult]) -> str:
    """Return the tables of some runs; several ones end with a summary."""
    tables = [format_table(run) for run in runs]
    if len(runs) == 1:
        return tables[0]
    passed = sum(run.result == "passed" for run in runs)
    summary = f"{len(runs)} journeys: {passed} passed, {len(runs) - passed} failed"
    return "\n\n".join([*tables, summary])


def format_summary(run: RunResult) -> str:
    """Return the run's result in one line."""
    failure = f" at {run.step}: {run.reason}, {run.detail}" if run.reason else ""
    attempts = f" after {run.attempt} attempts" if run.attempt > 1 else ""
    duration = f"in {run.duration_ms:.0f} ms"
    ending = f"{failure}{attempts} {duration}, trace {run.trace_id}"
    return f"{run.journey} {run.result}{ending}"


def _mark(step: StepResult) -> str:
    """Return why a step failed, and its warnings, each on a line of its own."""
    failure = f"  {step.reason}: {step.detail}" if step.reason else ""
    return failure + "".join(f"\n  warning: {warning}" for warning in step.warnings)


def _row(step: StepResult) -> tuple[str, ...]:
    phases = step.timings
    times = (step.duration_ms, phases.dns, phases.connect, phases.tls, phases.first_byte)
    return (
        step.step_id,
        str(step.status or "-"),
        *(f"{milliseconds:.1f}" if milliseconds else "-" for milliseconds in times),
        str(step.request_count),
    )
