"""Os relatórios do Robot, arrumados para quem os lê: em ordem, e com as etiquetas explicadas."""

import tomllib
from pathlib import Path

from robot.api import ExecutionResult, ResultWriter
from robot.result import TestSuite

ETIQUETAS = Path(__file__).resolve().parents[1] / "etiquetas.toml"


def escrever(pasta: Path, url: str) -> None:
    """Escreve ``log.html`` e ``report.html`` a partir do ``output.xml`` da pasta."""
    resultado = ExecutionResult(str(pasta / "output.xml"))
    _ordenar(resultado.suite)
    resultado.suite.metadata.clear()  # o pabot fala de si mesmo
    resultado.suite.metadata["Sistema"] = url
    etiquetas = tomllib.loads(ETIQUETAS.read_text(encoding="utf-8"))
    contas = {
        "suite_stat_level": 2,
        "tag_stat_exclude": ["op:*"],
        "tag_doc": list(etiquetas.items()),
    }
    resultado.configure(stat_config=contas)
    ResultWriter(resultado).write_results(
        log=str(pasta / "log.html"),
        report=str(pasta / "report.html"),
        reporttitle="Aceitação do Cadastro",
        logtitle="Aceitação do Cadastro, passo a passo",
        console="none",
    )


def _ordenar(suite: TestSuite) -> None:
    suite.suites = sorted(suite.suites, key=lambda uma: str(uma.name))
    suite.tests = sorted(suite.tests, key=lambda um: str(um.name))
    for uma in suite.suites:
        _ordenar(uma)
