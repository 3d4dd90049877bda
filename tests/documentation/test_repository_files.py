"""Pre-commit hooks, the CI workflow and the dev container: their commands exist."""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def test_every_pre_commit_hook_runs_a_program_of_the_environment() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    programs = [hook["entry"].split()[0] for hook in hooks]
    assert [name for name in programs if not name.startswith(".venv/bin/")] == []
    assert [name for name in programs if not (BIN / Path(name).name).exists()] == []


def test_the_ci_workflow_runs_the_commands_of_the_local_ci_script() -> None:
    script = (ROOT / ".ci" / "run").read_text().replace("$top", "$PWD")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert {"make test", "make test-long"} <= set(commands)
    for command in commands:
        assert re.search(rf"^ *{re.escape(command)}$", script, re.MULTILINE), command


def test_the_dev_container_starts_the_system() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postAttachCommand"] == "make run"
