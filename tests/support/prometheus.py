"""A Prometheus on this machine that scrapes a system and evaluates the rules of the charts."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from scripts.charts import promtool
from tests.support.ports import free_port
from tests.support.steps import wait_until

INTERVAL = "1s"  # of scrapes and of evaluations
START_TIMEOUT_SECONDS = 30.0


@contextmanager
def running_prometheus(
    scrape_configs: list[dict[str, Any]], groups: dict[str, Any]
) -> Iterator[httpx.Client]:
    """Run a Prometheus during the block, and yield a client of it.

    Raises:
        PromtoolError: there is no Prometheus; the message explains its installation.
        StepFailed: it is not ready in time; the message has the end of its log.

    """
    program = promtool.find_program("prometheus")
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": ["rules.yaml"],
        "scrape_configs": scrape_configs,
    }
    with tempfile.TemporaryDirectory(prefix="cadastro-prometheus-") as name:
        folder = Path(name)
        log = folder / "log"
        for file, document in (("rules.yaml", groups), ("prometheus.yaml", settings)):
            (folder / file).write_text(yaml.safe_dump(document))
        command = [
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'samples'}",
            f"--web.listen-address={address}",
        ]
        with (
            running_program(command, log),
            httpx.Client(base_url=f"http://{address}", timeout=30) as client,
        ):
            wait_until(
                lambda: _is_ready(client),
                START_TIMEOUT_SECONDS,
                lambda: f"Prometheus is not ready: {log.read_text()[-500:]}",
            )
            yield client


@contextmanager
def running_program(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program during the block, with its output in a file."""
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.terminate()


def query(prometheus: httpx.Client, expression: str) -> list[dict[str, Any]]:
    """Return the result of an instant query: objects with ``metric`` and ``value``."""
    response = prometheus.get("/api/v1/query", params={"query": expression}).raise_for_status()
    found: list[dict[str, Any]] = response.json()["data"]["result"]
    return found


def _is_ready(prometheus: httpx.Client) -> bool:
    try:
        return prometheus.get("/-/ready").is_success
    except httpx.TransportError:
        return False
