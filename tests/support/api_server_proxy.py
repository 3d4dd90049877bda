"""``kubectl proxy``, which authenticates a local client at the API server."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.prometheus import running_program
from tests.support.steps import wait_until

ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
START_TIMEOUT_SECONDS = 30.0


@contextmanager
def api_server_proxy() -> Iterator[str]:
    """Run the proxy during the block, and yield its host and port.

    Raises:
        StepFailed: it does not start in time; the message has its output.

    """
    with tempfile.TemporaryDirectory(prefix="cadastro-proxy-") as folder:
        log = Path(folder) / "log"
        with running_program(["kubectl", "proxy", "--port=0"], log):
            wait_until(
                lambda: ADDRESS.search(log.read_text()),
                START_TIMEOUT_SECONDS,
                lambda: f"kubectl proxy does not start: {log.read_text()}",
            )
            yield ADDRESS.findall(log.read_text())[0]
