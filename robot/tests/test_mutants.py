"""The bugs of `make robot-mutants`: each one applies to the services as they are."""

from pathlib import Path

import pytest

from mutantes.mutante import Mutante, ler

ROOT = Path(__file__).parents[2]
MUTANTS = ler(ROOT / "robot" / "mutantes" / "mutantes.toml")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.nome)
def test_a_mutant_replaces_code_that_occurs_once(mutant: Mutante) -> None:
    assert (ROOT / mutant.arquivo).read_text().count(mutant.antes) == 1
