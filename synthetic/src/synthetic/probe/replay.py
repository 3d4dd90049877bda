"""Replay a journey from another Python program or a test."""

from collections.abc import Callable
from pathlib import Path

from synthetic.probe.catalog import load_journey
from synthetic.probe.credentials import Credentials
from synthetic.probe.results import RunResult
from synthetic.probe.runner import Limits, Runner, RunOptions
from synthetic.probe.signals import Signals
from synthetic.probe.target import parse_target


def replay(
    name: str,
    url: str | None,
    credentials: Credentials | None = None,
    limits: Limits | None = None,
    *,
    file: Path | None = None,
    options: RunOptions | None = None,
    signals: Signals | None = None,
    progress: Callable[[RunResult], None] = lambda _: None,
) -> RunResult:
    """Replay the journey ``name`` once against the system at ``url``.

    Without a URL, the servers of the options or of the contracts count.

    Installed ``signals`` end the run early; without them, signal handling stays with the caller.

    Raises:
        ProbeError: the journey does not exist, the URL is invalid, or credentials are missing.

    """
    target = None if url is None else parse_target(url)
    journey = load_journey(name, file)
    runner = Runner(
        journey,
        target,
        credentials,
        limits or Limits(),
        signals=signals or Signals(),
        progress=progress,
        inputs=options.inputs if options else None,
        options=options,
    )
    return runner.run()
