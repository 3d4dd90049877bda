"""The Locust process of a run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from load.harness.progress import report
from load.harness.run_config import LOCUSTFILE, RunConfig, RunError

LOG_LINES = 5  # of Locust's log, in the message of an error


def run_locust(config: RunConfig, folder: Path, run_id: str) -> dict[str, Any]:
    """Run Locust to its end, and return the document that the locustfile writes.

    Raises:
        RunError: Locust failed, or wrote no document.

    """
    result, log = folder / "locust.json", folder / "locust.log"
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
    command += _options(config, run_id, result, log)
    report(f"{config.shape}, as {run_id}")
    with (folder / "locust.txt").open("w") as output:
        # In a separate session, Locust receives only the signals that are sent below.
        process = subprocess.Popen(
            command,
            stdout=sys.stderr,
            stderr=output,
            start_new_session=True,
            env=_environment(folder),
        )
        code = _wait(process)
    if code or not result.is_file():
        raise RunError(f"Locust exited with {code}; its log is {log}{_last_lines(log)}")
    document: dict[str, Any] = json.loads(result.read_text())
    result.unlink()
    return document


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment without the user's settings of Locust, which could change the run.

    They are in variables, and in a file in the home folder.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, "HOME": str(folder.resolve())}


def _options(config: RunConfig, run_id: str, result: Path, log: Path) -> list[str]:
    options = {
        "--host": config.url,
        "--shape": config.shape,
        "--model": config.model,
        "--load": config.load,
        "--seconds": config.seconds,
        "--run-id": run_id,
        "--secret-file": config.secret_file,
        "--result": result,
        "--logfile": log,
    }
    given = [str(part) for option, value in options.items() if value for part in (option, value)]
    return [*given, "--only-summary", *_web_options(config), *config.locust_options]


def _web_options(config: RunConfig) -> list[str]:
    if not config.web_port:
        return ["--headless"]
    report(f"Locust's web page is http://127.0.0.1:{config.web_port}; end the run with Ctrl-C")
    return ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(config.web_port)]


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            report("ending early, after the calls in flight; Ctrl-C again ends at once")
            process.send_signal(signal.SIGINT)


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    return "".join(f"\n    {line[:200]}" for line in lines[-LOG_LINES:])
