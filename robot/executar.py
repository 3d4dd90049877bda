"""Executa a suíte de aceitação contra um sistema, e resume o que ela viu.

Os cenários são independentes: correm em processos lado a lado, em ordem aleatória.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from robot.api import ExecutionResult
from robot.result import TestCase, TestSuite

RAIZ = Path(__file__).resolve().parent.parent
PASTA = RAIZ / "reports" / "robot"
BIN = Path(sys.executable).parent
VER = 0.2  # segundos entre duas olhadas no progresso


def main() -> int:
    """Executa, mostra o progresso, escreve o resumo; devolve 0 só se tudo passou."""
    opcoes = _opcoes()
    url = opcoes.url.rstrip("/")
    if not _responde(url):
        sys.stderr.write(f"robot: não há um sistema em {url}; inicie um com make run\n")
        return 2
    PASTA.mkdir(parents=True, exist_ok=True)
    progresso = PASTA / "progresso.txt"
    progresso.write_text("", encoding="utf-8")
    comando = [str(BIN / "pabot"), "--testlevelsplit", "--processes", str(opcoes.processos)]
    comando += ["--argumentfile", "robot/argumentos.txt", "--randomize", "all"]
    comando += ["--listener", f"robot/bibliotecas/progresso.py:{progresso}"]
    comando += ["--variable", f"URL:{url}", "--variable", f"SEGREDO:{opcoes.segredo}"]
    comando += [f"--include={etiqueta}" for etiqueta in opcoes.etiqueta]
    comando += ["--outputdir", str(PASTA), "robot/suites"]
    inicio = time.monotonic()
    with (PASTA / "pabot.txt").open("w", encoding="utf-8") as saida:
        processo = subprocess.Popen(
            comando,
            cwd=RAIZ,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            stdout=saida,
            stderr=subprocess.STDOUT,
        )
        _mostrar(progresso, processo)
    if not (PASTA / "output.xml").is_file():
        sys.stderr.write((PASTA / "pabot.txt").read_text(encoding="utf-8"))
        return 2
    print(_resumir(url, time.monotonic() - inicio))
    return int(processo.returncode != 0)


def _opcoes() -> argparse.Namespace:
    leitor = argparse.ArgumentParser(prog="make robot", description=__doc__)
    leitor.add_argument("--url", default="http://127.0.0.1:8080", help="onde está o sistema")
    leitor.add_argument("--segredo", default="", help="o arquivo com o segredo dos monitores")
    leitor.add_argument("--processos", type=int, default=os.cpu_count() or 1)
    leitor.add_argument("--etiqueta", action="append", default=[], help="só cenários com esta")
    return leitor.parse_args()


def _responde(url: str) -> bool:
    try:
        return httpx.get(f"{url}/clients/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _mostrar(progresso: Path, processo: subprocess.Popen[bytes]) -> None:
    """Mostra cada cenário que termina."""
    lidas = 0
    acabou = threading.Event()
    while not acabou.is_set():
        if processo.poll() is not None:
            acabou.set()
        linhas = progresso.read_text(encoding="utf-8").splitlines()
        for linha in linhas[lidas:]:
            print(linha.replace("\t", "  "), file=sys.stderr, flush=True)
        lidas = len(linhas)
        acabou.wait(VER)


def _resumir(url: str, segundos: float) -> str:
    """Escreve ``resumo.md``, que se lê sem saber programar, e devolve o mesmo texto."""
    resultado = ExecutionResult(str(PASTA / "output.xml"))
    total = resultado.statistics.total
    contas = f"{total.passed} passaram, {total.failed} falharam, {total.skipped} foram pulados"
    linhas = [
        "# Aceitação do Cadastro",
        f"{contas}, contra {url}, em {segundos:.0f} s.",
    ]
    ruins = [teste for teste in _testes(resultado.suite) if not teste.passed]
    if ruins:
        linhas += ["", "| cenário | o que houve |", "|---|---|"]
        linhas += [
            f"| {teste.parent.name}: {teste.name} | {teste.message.splitlines()[0]} |"
            for teste in ruins
        ]
    texto = "\n".join(linhas) + "\n"
    (PASTA / "resumo.md").write_text(texto, encoding="utf-8")
    return texto


def _testes(suite: TestSuite) -> Iterator[TestCase]:
    yield from suite.tests
    for outra in suite.suites:
        yield from _testes(outra)


if __name__ == "__main__":
    sys.exit(main())
