"""What a run has come to, for a person."""

from synthetic.probe.results import RunResult, StepResult

HEADER = ("step", "status", "ms", "dns", "connect", "tls", "first byte", "tries")


def format_table(outcome: RunResult) -> str:
    """Return a line for each step, and how it ended below."""
    rows = [HEADER, *(_row(step) for step in outcome.steps)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    marks = ["", *(f"  {step.reason}: {step.detail}" * bool(step.reason) for step in outcome.steps)]
    return "\n".join([*map("".join, zip(lines, marks, strict=True)), "", format_summary(outcome)])


def format_summary(outcome: RunResult) -> str:
    """Return how a run ended, in one line."""
    where = f" at {outcome.step}: {outcome.reason}, {outcome.detail}" if outcome.reason else ""
    again = f" after {outcome.attempt} attempts" if outcome.attempt > 1 else ""
    took = f"in {outcome.duration_ms:.0f} ms"
    return f"{outcome.journey} {outcome.result}{where}{again} {took}, trace {outcome.trace_id}"


def _row(step: StepResult) -> tuple[str, ...]:
    phases = step.timings
    times = (step.duration_ms, phases.dns, phases.connect, phases.tls, phases.first_byte)
    return (
        step.step_id,
        str(step.status or "-"),
        *(f"{milliseconds:.1f}" if milliseconds else "-" for milliseconds in times),
        str(step.request_count),
    )
