"""`python -m devstack.smoke_test`: replays each journey once, through the port that users call."""

import argparse
import sys
from pathlib import Path

from synthetic.probe.catalog import journey_names
from synthetic.probe.credentials import read_credentials
from synthetic.probe.replay import replay
from synthetic.probe.table import format_summary


def main() -> int:
    """Replay the journeys as the monitors do, until one fails; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.smoke_test", description=__doc__)
    parser.add_argument("url", help="where the system answers")
    parser.add_argument("credentials", type=Path, help="the folder with the monitors' credentials")
    options = parser.parse_args()
    credentials = read_credentials(options.credentials)
    for name in journey_names():
        outcome = replay(name, options.url, credentials)
        sys.stdout.write(f"{format_summary(outcome)}\n")
        if outcome.result != "passed":
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
