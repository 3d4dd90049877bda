"""The two runners as commands, and the verdict of each on the workflows of a document."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runners.documents import Document
from tests.runners.sample_inputs import sample_inputs

TIMEOUT_SECONDS = 300.0
SYNTHETIC = Path(sys.executable).with_name("synthetic")
CREDENTIALS = {
    "api-key": "sample-key", "token": "sample-token", "username": "sample",
    "password": "sample-password",
}  # fmt: skip
ENVIRONMENT = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_COLOR": "1",
}
WARNING = ": warning: "
VERDICTS = {"passed": "passed", "failed": "failed", "error": "failed"}


@dataclass(frozen=True)
class Verdict:
    """The verdict on a workflow: passed, failed or refused, and its cause."""

    result: str
    cause: str = ""


def check(file: Path) -> list[str]:
    """Return the mistakes that `synthetic check` finds, each with line and column."""
    done = _run(str(SYNTHETIC), "check", file.name, cwd=file.parent)
    lines = [line.removeprefix(f"{file.name}:") for line in done.stdout.splitlines()[:-1]]
    return [line for line in lines if WARNING not in line]


def run_synthetic(document: Document, file: Path, servers: Mapping[str, str]) -> dict[str, Verdict]:
    """Return the verdict of `synthetic probe` on each workflow."""
    options = [f"--server={name}={url}" for name, url in servers.items()]
    options += [f"--secret={name}={value}" for name, value in CREDENTIALS.items()]
    return {
        name: _run_workflow(name, file, sample_inputs(workflow, document.content), options)
        for name, workflow in document.workflows.items()
    }


def _run_workflow(name: str, file: Path, inputs: Mapping[str, Any], options: list[str]) -> Verdict:
    if inputs:
        given = file.with_suffix(".inputs.json")
        given.write_text(json.dumps(inputs))
        options = [*options, "--inputs", given.name]
    done = _run(
        *(str(SYNTHETIC), "probe", name, "--file", file.name),
        *("--retries", "0", "--output", "json", *options),
        cwd=file.parent,
    )
    if not done.stdout:
        return Verdict("refused", done.stderr.strip().removeprefix("synthetic probe: "))
    run = json.loads(done.stdout)
    cause = f"{run['step']}: {run['reason']}: {run['detail']}" if run["step"] else run["detail"]
    return Verdict(VERDICTS[run["result"]], cause)


def run_respect(
    redocly: Path, document: Document, file: Path, servers: Mapping[str, str]
) -> dict[str, Verdict]:
    """Return the verdict of `redocly respect` on each workflow."""
    inputs: dict[str, Any] = {}
    for workflow in document.workflows.values():
        inputs |= sample_inputs(workflow, document.content)
    options = [f"--server={name}={url}" for name, url in servers.items()]
    options += ["--input", json.dumps(inputs)] if inputs else []
    output = file.with_suffix(".respect.json")
    done = _run(
        *(str(redocly), "respect", file.name, "--json-output", output.name, *options),
        cwd=file.parent,
    )
    if not output.is_file():
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines()]
        cause = next((line for line in lines if "rror" in line or line.startswith("[")), "")
        return dict.fromkeys(document.workflows, Verdict("refused", cause))
    (result,) = json.loads(output.read_text())["files"].values()
    verdicts = dict.fromkeys(document.workflows, Verdict("refused", "not executed"))
    for executed in reversed(result["executedWorkflows"]):
        if executed["workflowId"] in verdicts:
            verdicts[executed["workflowId"]] = _respect_verdict(executed)
    return verdicts


def _respect_verdict(executed: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a workflow; its cause is the first check that failed."""
    if executed["status"] != "error":
        return Verdict("passed")
    return Verdict("failed", _failed_check(executed))


def _failed_check(executed: Mapping[str, Any]) -> str:
    for step in executed.get("executedSteps", ()):
        if step["type"] == "workflow":
            if step["status"] == "error":
                return f"{step['workflowId']}: {_failed_check(step)}"
            continue
        for each in step.get("checks", ()):
            if not each["passed"] and each["severity"] == "error":
                message = " ".join((each.get("condition") or each["message"]).split())
                return f"{step['stepId']}: {each['name']}: {message}"
    return ""


def _run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
