"""A first start with a client that writes, an abrupt end, and a second start."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.accounts import User, create_user, log_in, new_client
from tests.support.http_caller import HttpCaller, Response
from tests.support.local_system import ISOLATED, ROOT
from tests.support.ports import free_port
from tests.support.steps import StepFailed

START_TIMEOUT_SECONDS = 180.0
STOP_TIMEOUT_SECONDS = 30.0
PAGE = 1000  # clients
POLL_SECONDS = 0.05


class LocalSystem:
    """A process of `make run` whose output is outside the data folder."""

    def __init__(self, data: Path, output: Path) -> None:
        """Start the process without waiting for it."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = output
        options = ["--port", str(self.port), "--data", str(data)]
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, *ISOLATED, "-m", "devstack", "run", *options],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def last_line(self) -> str:
        """The last line of the output."""
        return (self._output.read_text().splitlines() or ["no output"])[-1]

    def wait_until_ready(self) -> float:
        """Wait until the system is ready, and return the seconds that passed.

        Raises:
            StepFailed: it ended, or is not ready in time.

        """
        started = time.monotonic()
        while "Cadastro is ready" not in self._output.read_text():
            is_late = time.monotonic() - started > START_TIMEOUT_SECONDS
            if is_late or self.process.poll() is not None:
                raise StepFailed(f"no start: {self.last_line}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - started

    def kill(self) -> None:
        """Kill all processes at once."""
        root = psutil.Process(self.process.pid)
        processes = [root, *root.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, STOP_TIMEOUT_SECONDS)
        self.process.wait()

    def stop(self) -> None:
        """Stop the system in order; kill what is left."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_SECONDS)
            return
        self.kill()


class Writer(threading.Thread):
    """Creates clients as soon as the system responds, and records the acknowledged ones."""

    def __init__(self, url: str) -> None:
        """Write to ``url`` until ``stop``."""
        super().__init__(daemon=True)
        self._url = url
        self._stopping = threading.Event()
        self.user: User | None = None
        self.acknowledged: set[str] = set()  # e-mail addresses
        self.responses: list[Response] = []  # to creations

    def run(self) -> None:
        """Log in, then write; retry while there is no response."""
        token = ""
        while not self._stopping.is_set():
            try:
                token = token or self._log_in()
                if token:
                    self._create_client(token)
            except (OSError, httpx.HTTPError, StepFailed, ValueError, TypeError, KeyError):
                token = ""
                time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End after the current request."""
        self._stopping.set()
        self.join()

    def _log_in(self) -> str:
        if self.user is None or not log_in(self._url, self.user):
            self.user = create_user(self._url, "redteam")
        return log_in(self._url, self.user) or ""

    def _create_client(self, token: str) -> None:
        body = new_client("Vermelho", "redteam")
        with HttpCaller(self._url, token) as caller:
            response = caller.request("POST", "/clients/create", body)
        self.responses.append(response)
        if response.is_success:
            self.acknowledged.add(str(body["email"]))
        else:
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Trial:
    """The result of one interrupted first start."""

    seconds: float  # from the start to its end
    acknowledged: int
    lost: int
    error: str  # of the second start; empty if it was ready

    @property
    def holds(self) -> bool:
        """True if the system started again with all acknowledged writes."""
        return not self.lost and not self.error


def run_trial(data: Path, logs: Path, seconds: float, end: Callable[[LocalSystem], None]) -> Trial:
    """Start a system on an empty ``data``, ``end`` it after some seconds, and start it again."""
    first = LocalSystem(data, logs / "first.txt")
    writer = Writer(first.url)
    writer.start()
    try:
        time.sleep(seconds)
        end(first)
    finally:
        writer.stop()
    second = LocalSystem(data, logs / "second.txt")
    try:
        second.wait_until_ready()
        lost = writer.acknowledged - read_emails(second.url, writer)
    except StepFailed as error:
        return Trial(seconds, len(writer.acknowledged), len(writer.acknowledged), str(error))
    finally:
        second.stop()
    return Trial(seconds, len(writer.acknowledged), len(lost), "")


def read_emails(url: str, writer: Writer) -> set[str]:
    """Return the e-mail addresses of all clients, read as the user who wrote them.

    Raises:
        StepFailed: the user or a page is missing.

    """
    if not writer.acknowledged or writer.user is None:
        return set()
    token = log_in(url, writer.user)
    if not token:
        raise StepFailed("the user was lost")
    found: set[str] = set()
    after = 0
    with HttpCaller(url, token) as caller:
        while rows := _page(caller, after):
            found |= {str(row["email"]) for row in rows}
            after = rows[-1]["id"]
    return found


def _page(caller: HttpCaller, after: int) -> list[dict[str, Any]]:
    response = caller.request("GET", f"/clients/fetch?limit={PAGE}&after={after}")
    if not response.is_success:
        raise StepFailed(f"a page of clients answered {response.status}")
    rows: list[dict[str, Any]] = response.document
    return rows
