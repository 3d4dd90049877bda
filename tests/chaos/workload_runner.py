"""Process of one workload, configured by a JSON file.

Each attempt is appended to the history log. SIGTERM stops the steady load.
"""

import argparse
import json
import signal
from collections.abc import Callable
from pathlib import Path

from tests.chaos.bursts import Burst
from tests.chaos.steady_load import SteadyLoad
from tests.chaos.workload import WorkloadConfig, stopping

WORKLOADS: dict[str, Callable[[WorkloadConfig], None]] = {
    "steady": lambda config: SteadyLoad(config).run(),
    "delete": lambda config: Burst(config).delete(),
    "race": lambda config: Burst(config).race(),
    "edit": lambda config: Burst(config).edit(),
}


def main() -> None:
    """Run one workload to its end."""
    parser = argparse.ArgumentParser(prog="workload_runner", description=__doc__)
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("config", type=Path, help="the configuration, a JSON object")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the load driver sends SIGTERM
    values = json.loads(options.config.read_text())
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    config = WorkloadConfig(**{**values, **lists, "history": Path(values["history"])})
    WORKLOADS[options.name](config)


if __name__ == "__main__":
    main()
