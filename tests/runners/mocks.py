"""Mock servers: Prism answers from the examples and schemas of an OpenAPI description."""

import json
import socket
import subprocess
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import yaml

from tests.runners.descriptions import for_mock
from tests.support.ports import free_port

START_TIMEOUT_SECONDS = 180.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_INTERVAL_SECONDS = 0.2


class MockError(Exception):
    """A mock server did not start."""


class MockServers:
    """One mock server for each description, on 127.0.0.1."""

    def __init__(self, prism: Path, folder: Path) -> None:
        """Start servers by the command ``prism``; their files are in ``folder``."""
        self._prism = prism
        self._folder = folder
        self._servers: dict[Path, tuple[str, subprocess.Popen[bytes]]] = {}

    def serve(self, descriptions: Collection[Path]) -> Mapping[Path, str]:
        """Serve descriptions, and stop the servers of all others; those that ended start anew.

        Returns the base URLs by description.

        Raises:
            MockError: a server did not start.

        """
        for path, (_, process) in list(self._servers.items()):
            if path not in descriptions or process.poll() is not None:  # Prism ends at some errors
                self._stop(path)
        for path in descriptions:
            if path not in self._servers:
                self._servers[path] = self._start(path)
        return {path: url for path, (url, _) in self._servers.items()}

    def stop(self) -> None:
        """Stop all servers."""
        self.serve(())

    def _start(self, description: Path) -> tuple[str, subprocess.Popen[bytes]]:
        port = free_port()
        file, log = self._file(description, port), self._folder / f"mock-{port}.log"
        command = [str(self._prism), "mock", "--port", str(port), str(file)]
        with log.open("wb") as output:
            process = _launch(command, output)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _is_listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise MockError(f"no mock server for {description}: {log.read_text()[-500:]}")
            time.sleep(POLL_INTERVAL_SECONDS)
        return f"http://127.0.0.1:{port}", process

    def _file(self, description: Path, port: int) -> Path:
        """Return the file of a description for Prism."""
        if b"writeOnly" not in description.read_bytes():
            return description
        file = self._folder / f"mock-{port}.json"
        file.write_text(json.dumps(for_mock(_load(description))))
        return file

    def _stop(self, description: Path) -> None:
        _, process = self._servers.pop(description)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_SECONDS)
        process.kill()
        process.wait()


def _launch(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _load(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=_StringDates)  # noqa: S506 - it is safe


class _StringDates(yaml.CSafeLoader):
    """Reads dates as strings, as JSON has them."""


_StringDates.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
