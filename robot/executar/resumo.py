"""O resumo de uma execução, que se lê sem saber programar."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from robot.api import ExecutionResult
from robot.result import TestCase, TestSuite

PARTES = {"passaram": "passou", "falharam": "falhou", "foram pulados": "foi pulado"}
SITUACAO = {"PASS": "passaram", "FAIL": "falharam", "SKIP": "foram pulados"}


@dataclass(frozen=True)
class Resumo:
    """O que uma execução viu."""

    passou: bool
    texto: str


def resumir(saida: Path, url: str, segundos: float) -> Resumo:
    """Lê o ``output.xml`` do Robot, e devolve o resumo em Markdown."""
    testes = sorted(_testes(ExecutionResult(str(saida)).suite), key=lambda um: um.longname)
    contas = Counter(SITUACAO[teste.status] for teste in testes)
    frases = [_contar(contas[situacao], situacao) for situacao in PARTES]
    linhas = [
        "# Aceitação do Cadastro",
        "",
        f"{', '.join(frases)}, contra {url}, em {segundos:.0f} s.",
        "",
        *_por_suite(testes),
    ]
    falhas = [teste for teste in testes if teste.failed]
    linhas += _lista("O que falhou", falhas) if falhas else []
    pulados = [teste for teste in testes if teste.skipped]
    linhas += _lista("O que foi pulado, e por quê", pulados) if pulados else []
    return Resumo(passou=not falhas and bool(testes), texto="\n".join(linhas) + "\n")


def _por_suite(testes: list[TestCase]) -> Iterator[str]:
    yield "| suíte | passaram | falharam | foram pulados |"
    yield "|---|--:|--:|--:|"
    for suite in dict.fromkeys(teste.parent.name for teste in testes):
        dela = Counter(SITUACAO[um.status] for um in testes if um.parent.name == suite)
        yield f"| {suite} | {' | '.join(str(dela[situacao]) for situacao in PARTES)} |"


def _lista(titulo: str, testes: list[TestCase]) -> Iterator[str]:
    yield from ("", f"## {titulo}", "", "| cenário | o que houve |", "|---|---|")
    for teste in testes:
        yield f"| {teste.parent.name}: {teste.name} | {_em_uma_linha(teste.message)} |"


def _em_uma_linha(texto: str) -> str:
    linhas = [linha.strip() for linha in texto.splitlines() if linha.strip()]
    return " / ".join(linhas).replace("|", "\\|")


def _contar(quantos: int, situacao: str) -> str:
    return f"{quantos} {PARTES[situacao] if quantos == 1 else situacao}"


def _testes(suite: TestSuite) -> Iterator[TestCase]:
    yield from suite.tests
    for outra in suite.suites:
        yield from _testes(outra)
