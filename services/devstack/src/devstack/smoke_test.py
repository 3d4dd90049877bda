"""`python -m devstack.smoke_test`: replays each journey once, through the ingress."""

import argparse
import sys
from pathlib import Path

from synthetic.probe.catalog import journey_names
from synthetic.probe.credentials import read_credentials
from synthetic.probe.replay import replay
from synthetic.probe.table import format_summary


def main() -> int:
    """Replay the journeys like the monitors until one fails, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.smoke_test", description=__doc__)
    parser.add_argument("url", help="base URL of the system")
    parser.add_argument("credentials", type=Path, help="folder with the monitors' credentials")
    options = parser.parse_args()
    credentials = read_credentials(options.credentials)
    for name in journey_names():
        result = replay(name, options.url, credentials)
        sys.stdout.write(f"{format_summary(result)}\n")
        if result.result != "passed":
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
