"""Ctrl-C ends commands without a traceback, while they wait for a server too."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthetic.kubeconfigs import write_config

WAIT_SECONDS = 60
COMMANDS = {
    "new": ("new", "{url}/x.yaml"),
    "check": ("check", "{folder}/x.arazzo.yaml"),
    "monitors": ("monitors",),
    "explain": ("explain", "shop"),
}
JOURNEY = """
arazzo: 1.0.1
info: {{title: x, version: '1'}}
sourceDescriptions: [{{name: x, url: '{url}/x.yaml', type: openapi}}]
workflows: [{{workflowId: x, steps: [{{stepId: x, operationId: x}}]}}]
"""


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_ctrl_c_ends_a_command_that_waits_for_a_server(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(WAIT_SECONDS)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        config = write_config(tmp_path / "config", "a", {"a": url}, token="x")
        (tmp_path / "x.arazzo.yaml").write_text(JOURNEY.format(url=url))
        given = [each.format(url=url, folder=tmp_path) for each in arguments]
        process = subprocess.Popen(
            [sys.executable, "-m", "synthetic.cli", *given],
            env={**os.environ, "KUBECONFIG": config},
            stderr=subprocess.PIPE,
        )
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, errors) == (130, b"")
