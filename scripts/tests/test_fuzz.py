"""The contracts under fuzz: a short run of `make fuzz`."""

import subprocess
import sys
from pathlib import Path

from localstack.stack import SERVICES
from system import running

FUZZ = Path(__file__).parents[1] / "fuzz"
EXAMPLES = ("--examples", "3")  # an operation; `make fuzz` takes a thousand


def test_what_is_served_keeps_its_contracts(data_folder: Path) -> None:
    with running(data_folder) as system:
        secret = data_folder / "secrets" / "oauth-clients" / "synthetic"
        done = subprocess.run(
            [sys.executable, FUZZ, "--url", system.url, "--secret-file", secret, *EXAMPLES],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert done.stdout.count("SUMMARY") == len(SERVICES)
