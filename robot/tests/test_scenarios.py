"""Form of the scenarios, and coverage of the contracts by their tags."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from servicekit.openapi.contract import load_contract, operations

ROOT = Path(__file__).parents[2]
SUITES = ROOT / "robot" / "suites"
LANGUAGE = ROOT / "robot" / "bibliotecas" / "portugues.py"
MAX_STEPS = 10

FORMS = (
    *("Dado", "Dado que", "Dada", "Dadas", "Dados", "E", "E que", "Mas", "Mas que"),
    *("Quando", "Então", "DADO QUE", "E QUE", "QUANDO", "ENTÃO", "MAS", "MAS QUE", "DADOS"),
)


# run as a separate process, since "robot" is a folder of this repository
READ_SCENARIOS = """
import json, sys
from robot.api import TestSuite
suite = TestSuite.from_file_system(sys.argv[1], lang=[sys.argv[2]])
print(json.dumps([
    {
        "name": each.longname,
        "tags": list(each.tags),
        "steps": [step.type for step in each.body],
        "template": each.template,
    }
    for each in suite.all_tests
]))
"""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return every scenario."""
    done = subprocess.run(
        [sys.executable, "-c", READ_SCENARIOS, str(SUITES), str(LANGUAGE)],
        cwd=tmp_path_factory.mktemp("empty"),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_there_are_at_least_120_scenarios(scenarios: list[dict[str, Any]]) -> None:
    assert len(scenarios) >= 120


def test_a_scenario_has_at_most_ten_steps_and_no_logic(scenarios: list[dict[str, Any]]) -> None:
    for scenario in scenarios:
        assert set(scenario["steps"]) == {"KEYWORD"}, scenario["name"]
        assert scenario["template"] or len(scenario["steps"]) <= MAX_STEPS, scenario["name"]


def test_every_operation_has_a_scenario_and_every_tag_an_operation(
    scenarios: list[dict[str, Any]],
) -> None:
    tags = {tag for scenario in scenarios for tag in scenario["tags"]}
    operations_of_contracts = {
        f"op:{operation['operationId']}"
        for path in (ROOT / "openapi").glob("*.yaml")
        for _, _, operation in operations(load_contract(path))
    }
    assert {tag for tag in tags if tag.startswith("op:")} == operations_of_contracts


def test_every_tag_is_explained_and_every_explanation_used(scenarios: list[dict[str, Any]]) -> None:
    tags = {tag for scenario in scenarios for tag in scenario["tags"]}
    explained = tomllib.loads((ROOT / "robot" / "etiquetas.toml").read_text())
    assert {tag for tag in tags if not tag.startswith("op:")} == explained.keys()


def test_a_step_may_begin_with_every_form_of_its_keyword(tmp_path: Path) -> None:
    cases = "".join(f"Com {form}\n    {form} há um produto\n" for form in FORMS)
    suite = tmp_path / "formas.robot"
    step = "Há um produto\n    No Operation\n"
    suite.write_text(f"*** Casos de Teste ***\n{cases}\n*** Palavras-Chave ***\n{step}")
    command = [sys.executable, "-m", "robot", f"--language={LANGUAGE}", "--output=NONE"]
    done = subprocess.run(
        [*command, "--log=NONE", "--report=NONE", str(suite)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(FORMS)} passed" in done.stdout, done.stdout
