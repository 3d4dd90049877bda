"""Os processos do pabot que executam os cenários, e o progresso deles."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from robot.api import TestSuite

ROBOT = Path(__file__).resolve().parents[1]
SUITES = ROBOT / "suites"
BIBLIOTECAS = ROBOT / "bibliotecas"
LINGUA = BIBLIOTECAS / "portugues.py"
PAUSA = 0.2  # segundos entre duas olhadas no progresso
OPCOES_DE_FORA = {"ROBOT_OPTIONS", "REBOT_OPTIONS"}  # mudariam o que se executa


class ExecucaoError(Exception):
    """Não deu para executar; a mensagem diz por quê e o que fazer."""


class Execucao:
    """Uma execução dos cenários escolhidos, ou de todos."""

    def __init__(
        self,
        url: str,
        segredo: str,
        relatorios: Path,
        *,
        processos: int,
        etiquetas: Sequence[str],
        cenarios: Sequence[str],
        semente: int,
    ) -> None:
        """Executa contra ``url``, e deixa o que há para ler na pasta ``relatorios``."""
        self._relatorios = relatorios.resolve()
        self._processos = processos
        self._escolha = [f"--include={etiqueta}" for etiqueta in etiquetas]
        self._escolha += [f"--test={cenario}" for cenario in cenarios]
        self._total = _contar(etiquetas, cenarios)
        if not self._total:
            raise ExecucaoError("nenhum cenário tem essa etiqueta, ou esse nome")
        segredo = str(Path(segredo).resolve()) if segredo else ""
        self._variaveis = {"URL": url, "SEGREDO": segredo}
        self._semente = semente

    def executar(self) -> None:
        """Executa tudo, mostra cada cenário que termina; levanta ``ExecucaoError``."""
        self._relatorios.mkdir(parents=True, exist_ok=True)
        saida = self._relatorios / "output.xml"
        saida.unlink(missing_ok=True)
        # o pabot escreve na pasta de onde é chamado
        with tempfile.TemporaryDirectory(prefix="aceitacao-") as pasta:
            progresso = Path(pasta) / "progresso.txt"
            progresso.touch()
            diario = self._relatorios / "pabot.txt"
            ambiente = {n: v for n, v in os.environ.items() if n not in OPCOES_DE_FORA}
            ambiente["PATH"] = f"{_programas()}{os.pathsep}{os.environ['PATH']}"
            with diario.open("w", encoding="utf-8") as texto:
                processo = subprocess.Popen(
                    self._comando(progresso),
                    cwd=pasta,
                    env=ambiente,
                    stdout=texto,
                    stderr=subprocess.STDOUT,
                )
                try:
                    self._mostrar(progresso, processo)
                finally:
                    processo.terminate()
                    processo.wait()
        if not saida.is_file():
            raise ExecucaoError(f"o pabot não terminou; a razão está no fim de {diario}")

    def _comando(self, progresso: Path) -> list[str]:
        variaveis = [f"--variable={nome}:{valor}" for nome, valor in self._variaveis.items()]
        return [
            str(_programas() / "pabot"),
            *("--testlevelsplit", "--chunk", "--no-pabotlib"),
            *("--processes", str(self._processos)),
            f"--language={LINGUA}",
            f"--pythonpath={BIBLIOTECAS}",
            f"--listener={BIBLIOTECAS / 'progresso.py'};{progresso}",
            f"--randomize=all:{self._semente}",
            *variaveis,
            *self._escolha,
            f"--outputdir={self._relatorios}",
            *("--log=NONE", "--report=NONE"),  # escrevem-se depois, em ordem
            str(SUITES),
        ]

    def _mostrar(self, progresso: Path, processo: subprocess.Popen[bytes]) -> None:
        """Mostra cada cenário que termina, até que o pabot termine."""
        vistos, acabou = 0, False
        while not acabou:
            acabou = processo.poll() is not None
            linhas = progresso.read_text(encoding="utf-8").splitlines()
            for linha in linhas[vistos:]:
                vistos += 1
                print(f"{vistos:4}/{self._total}  {linha}", file=sys.stderr, flush=True)
            if not acabou:
                time.sleep(PAUSA)


def _contar(etiquetas: Sequence[str], cenarios: Sequence[str]) -> int:
    """Devolve quantos cenários foram escolhidos."""
    suite = TestSuite.from_file_system(SUITES, lang=[str(LINGUA)])
    suite.configure(
        include_tags=list(etiquetas) or None,
        include_tests=list(cenarios) or None,
        empty_suite_ok=True,
    )
    return int(suite.test_count)


def _programas() -> Path:
    return Path(sys.executable).parent
