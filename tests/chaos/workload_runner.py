"""What callers do while the system is being hurt: a process of its own, told by one JSON object.

Every attempt goes into a book (see `history.py`); SIGTERM ends the steady load.
"""

import argparse
import json
import signal
from collections.abc import Callable
from pathlib import Path

from tests.chaos.bursts import Burst
from tests.chaos.steady_load import Steady
from tests.chaos.workload import Task, stopping

WORKLOADS: dict[str, Callable[[Task], None]] = {
    "steady": lambda task: Steady(task).run(),
    "delete": lambda task: Burst(task).delete(),
    "race": lambda task: Burst(task).race(),
    "edit": lambda task: Burst(task).edit(),
}


def main() -> None:
    """Run one workload to its end."""
    parser = argparse.ArgumentParser(prog="workloads.py", description=__doc__)
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("task", type=Path, help="the JSON object that tells what to do")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the conductor tells when to stop
    values = json.loads(options.task.read_text())
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    task = Task(**{**values, **lists, "book": Path(values["book"])})
    WORKLOADS[options.name](task)


if __name__ == "__main__":
    main()
