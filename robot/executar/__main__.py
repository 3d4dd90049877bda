"""Executa a suíte de aceitação contra um sistema, e conta num resumo o que ela viu.

Os cenários são independentes: correm em processos lado a lado, em ordem aleatória. Sai com 0 se
tudo passou, 1 se algo falhou, 2 se não deu para executar.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

import httpx

from executar.execucao import Execucao, ExecucaoError
from executar.relatorios import escrever
from executar.resumo import resumir

ESPERA = 60.0  # segundos até que um sistema que está iniciando responda
RAIZ = Path(__file__).resolve().parents[2]


def main() -> int:
    """Executa, mostra o progresso, escreve o resumo."""
    opcoes = _opcoes()
    try:
        _conferir(opcoes)
        execucao = Execucao(
            opcoes.url,
            opcoes.segredo,
            opcoes.relatorios,
            processos=opcoes.processos,
            etiquetas=opcoes.etiqueta,
            cenarios=opcoes.cenario,
            semente=opcoes.semente,
        )
        inicio = time.monotonic()
        execucao.executar()
    except ExecucaoError as erro:
        sys.stderr.write(f"robot: {erro}\n")
        return 2
    escrever(opcoes.relatorios, opcoes.url)
    resumo = resumir(opcoes.relatorios / "output.xml", opcoes.url, time.monotonic() - inicio)
    (opcoes.relatorios / "resumo.md").write_text(resumo.texto, encoding="utf-8")
    print(resumo.texto)
    print(
        f"Passo a passo em {opcoes.relatorios}/log.html; a mesma ordem: --semente {opcoes.semente}"
    )
    return 0 if resumo.passou else 1


def _opcoes() -> argparse.Namespace:
    leitor = argparse.ArgumentParser(
        prog="make robot", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    leitor.add_argument(
        "--url",
        type=lambda texto: texto.rstrip("/"),
        default="http://127.0.0.1:8080",
        help="onde está o sistema (http://127.0.0.1:8080)",
    )
    leitor.add_argument(
        "--segredo", default="", help="o arquivo com o segredo dos monitores; sem ele, pula os seus"
    )
    leitor.add_argument(
        "--relatorios",
        type=Path,
        default=RAIZ / "reports" / "robot",
        help="a pasta em que ficam os relatórios (reports/robot)",
    )
    leitor.add_argument(
        "--processos", type=_positivo, default=os.cpu_count() or 1, help="quantos, lado a lado"
    )
    leitor.add_argument(
        "--etiqueta", action="append", default=[], help="só os cenários com esta etiqueta"
    )
    leitor.add_argument(
        "--cenario", action="append", default=[], help="só os cenários com este nome; * vale"
    )
    leitor.add_argument(
        "--semente", type=int, default=secrets.randbelow(10**6), help="repete uma ordem aleatória"
    )
    return leitor.parse_args()


def _positivo(texto: str) -> int:
    if not texto.isdecimal() or int(texto) == 0:
        raise argparse.ArgumentTypeError(f"tem de ser um número a partir de 1, e é {texto!r}")
    return int(texto)


def _conferir(opcoes: argparse.Namespace) -> None:
    """Levanta ``ExecucaoError`` quando não há o que executar, ou contra o quê."""
    try:
        opcoes.relatorios.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=opcoes.relatorios):
            pass
    except OSError as erro:
        raise ExecucaoError(
            f"--relatorios: não se pode escrever em {opcoes.relatorios} ({erro.strerror}); "
            "escolha outra pasta"
        ) from erro
    if opcoes.segredo and not Path(opcoes.segredo).is_file():
        raise ExecucaoError(f"não há o arquivo {opcoes.segredo}, que teria o segredo dos monitores")
    if not _responde(f"{opcoes.url}/clients/health"):
        raise ExecucaoError(f"não há um sistema em {opcoes.url}; inicie um com make run")


def _responde(saude: str) -> bool:
    """Diz se o sistema responde; onde há alguém, espera um pouco que ele fique pronto."""
    prazo = time.monotonic() + ESPERA
    while True:
        try:
            if httpx.get(saude, timeout=10).is_success:
                return True
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol):
            return False
        except httpx.HTTPError:
            pass
        if time.monotonic() > prazo:
            return False
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
