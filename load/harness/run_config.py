"""Configuration of a run, and the checks before it starts."""

import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from load.shapes import build_plan
from load.shapes.phases import BASELINE_SECONDS, Model
from load.users.token_provider import read_secret
from synthetic.probe.results import ProbeError
from synthetic.probe.target import parse_target

LOCUSTFILE = Path(__file__).resolve().parents[1] / "locustfile.py"
SYNTHETIC_ROW_SECONDS = 3_000.0  # rows of the monitors' realm live an hour, until the next purge


class RunError(Exception):
    """The run is impossible or failed; the message gives the reason and a remedy."""


@dataclass(frozen=True)
class RunConfig:
    """Settings of one run."""

    url: str
    shape: str
    model: Model = "open"
    load: float | None = None  # actions a second, or users; by default the shape's own
    seconds: float | None = None  # of the main phase; by default the shape's own
    secret_file: str = ""
    web_port: int = 0  # of Locust's web page; 0 for none
    measure_ceiling: bool = True
    locust_options: Sequence[str] = ()  # as --master


def prepare_reports(folder: Path) -> None:
    """Create the folder of the reports, and check that files can be written there.

    Raises:
        RunError: it is unusable.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunError(
            f"--reports: no files can be written in {folder} ({error.strerror}): name another"
            " folder, or make it writable"
        ) from error


def validate(config: RunConfig) -> None:
    """Check the port, that the system responds, and that the run ends before its rows are purged.

    Raises:
        RunError: the run is impossible.
        LoginError: the secret cannot be read.

    """
    if config.web_port:
        _check_port(config.web_port)
    try:
        parse_target(config.url, "URL")
    except ProbeError as error:
        raise RunError(str(error)) from error
    try:
        httpx.get(f"{config.url}/clients/health", timeout=30).raise_for_status()
    except httpx.HTTPError as error:
        raise RunError(
            f"no Cadastro at {config.url} ({error}): start one with make run, or set URL"
        ) from error
    if config.secret_file:
        read_secret(config.secret_file)
    seconds = build_plan(config.shape, config.model, config.load, config.seconds).seconds
    if config.secret_file and seconds > SYNTHETIC_ROW_SECONDS:
        raise RunError(
            f"{config.shape} takes {seconds:.0f} s, and rows of the monitors' realm are purged "
            f"after an hour: set DURATION below {SYNTHETIC_ROW_SECONDS - BASELINE_SECONDS:.0f}, or "
            "SECRET_FILE= to load the live realm"
        )


def _check_port(port: int) -> None:
    """Raise ``RunError`` if Locust's web page cannot have the port: Locust would only log that."""
    with socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Locust's server does
        try:
            page.bind(("127.0.0.1", port))
            page.listen()
        except OSError as error:
            raise RunError(
                f"the web page cannot have the port {port} ({error.strerror}): choose another one "
                "with --web-port"
            ) from error
