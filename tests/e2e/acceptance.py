"""The acceptance suite through the ingress, as a user of the system."""

import base64
import sys
import tempfile
from pathlib import Path

from tests.e2e.context import Context
from tests.support.cluster import RELEASE
from tests.support.commands import ROOT, CommandError, run_command
from tests.support.steps import StepFailed

REPORTS = ROOT / "reports" / "robot-e2e"
TIMEOUT_SECONDS = 900.0
MONITOR = "synthetic"  # the OAuth client of the suite


def accept(context: Context) -> str:
    """Run the suite against the ingress, and return its count of passed scenarios.

    Raises:
        StepFailed: a scenario failed; the message is the summary of the suite.

    """
    secret = context.cluster.secrets()[f"{RELEASE}-oauth-clients"][MONITOR]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MONITOR  # only its owner can read the folder
        file.write_bytes(base64.b64decode(secret))
        suite = [sys.executable, "-m", "executar", "--url", context.url, "--segredo", str(file)]
        try:
            output = run_command(*suite, "--relatorios", str(REPORTS), timeout=TIMEOUT_SECONDS)
        except CommandError as error:
            summary = REPORTS / "resumo.md"
            failures = summary.read_text() if summary.is_file() else str(error)
            raise StepFailed(f"the acceptance suite failed:\n{failures}") from error
    return str(next(line for line in output.splitlines() if "passaram" in line))
