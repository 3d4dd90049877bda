"""The acceptance suite through the ingress, as the people who use the system would see it."""

import base64
import sys
import tempfile
from pathlib import Path

from tests.e2e.context import Trial
from tests.support.cluster import RELEASE, ROOT, ClusterError, run

REPORTS = ROOT / "reports" / "robot-e2e"
PATIENCE = 900.0  # seconds
MONITORS = "synthetic"  # whose secret the suite needs


def accept(trial: Trial) -> str:
    """Run the suite against the ingress, and return how many scenarios passed.

    Raises:
        ClusterError: a scenario failed; the message is the suite's own summary.

    """
    secret = trial.cluster.secrets()[f"{RELEASE}-oauth-clients"][MONITORS]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MONITORS  # the folder is its owner's alone
        file.write_bytes(base64.b64decode(secret))
        suite = [sys.executable, "robot/executar", "--url", trial.url, "--segredo", str(file)]
        try:
            said = run(*suite, "--relatorios", str(REPORTS), patience=PATIENCE)
        except ClusterError as error:
            summary = REPORTS / "resumo.md"
            failures = summary.read_text() if summary.is_file() else str(error)
            message = f"the acceptance suite failed:\n{failures}"
            raise ClusterError(message) from error
    return str(next(line for line in said.splitlines() if "passaram" in line))
