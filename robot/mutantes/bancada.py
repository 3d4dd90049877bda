"""A cópia dos serviços em que os defeitos se põem, e o sistema que ela faz."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

from mutantes.mutante import Mutante

RAIZ = Path(__file__).resolve().parents[2]
PRONTO = "Cadastro is ready"
PACIENCIA = 120.0  # segundos até que um sistema esteja pronto
PARAR = 30.0  # segundos até que um sistema pare
EXECUTOU = (0, 1)  # como a suíte sai quando pôde executar


class BancadaError(Exception):
    """Não deu para tentar; a mensagem diz por quê."""


class NaoIniciaError(BancadaError):
    """O sistema não inicia."""


class Bancada:
    """Uma cópia dos serviços, e um banco novo a cada sistema."""

    def __init__(self, pasta: Path) -> None:
        """Trabalha em ``pasta``, que é de quem chama."""
        pasta.chmod(0o711)  # a conta do PostgreSQL passa por aqui
        self._pasta = pasta
        self._copia = pasta / "copia"
        ignorar = shutil.ignore_patterns("__pycache__", "tests", "*.egg-info")
        for nome in ("services", "openapi"):
            shutil.copytree(RAIZ / nome, self._copia / nome, ignore=ignorar)

    def conferir(self, mutante: Mutante) -> None:
        """Levanta ``BancadaError`` quando o trecho do defeito não está no arquivo, ou se repete."""
        vezes = (self._copia / mutante.arquivo).read_text(encoding="utf-8").count(mutante.antes)
        if vezes != 1:
            raise BancadaError(
                f"{mutante.nome}: o trecho está {vezes} vezes em {mutante.arquivo}, e não uma; "
                "escreva-o de novo em mutantes.toml"
            )

    def preparar(self) -> None:
        """Faz o banco que todos copiam, e vê que sem defeito tudo passa."""
        with self._sistema(self._pasta / "modelo", Mutante("", "", "", "", ())) as url:
            falhas = self._executar(url, self._pasta / "modelo", ())
        if falhas:
            raise BancadaError(f"sem defeito nenhum já falham: {'; '.join(falhas)}")

    def tentar(self, mutante: Mutante) -> list[str]:
        """Devolve os nomes dos cenários que falham com o defeito."""
        arquivo = self._copia / mutante.arquivo
        certo = arquivo.read_text(encoding="utf-8")
        dados = self._pasta / "dados"
        # o banco é de outra conta, e continua dela
        subprocess.run(["cp", "-a", str(self._pasta / "modelo"), str(dados)], check=True)  # noqa: S607 - o de sempre
        arquivo.write_text(certo.replace(mutante.antes, mutante.depois), encoding="utf-8")
        try:
            with self._sistema(dados, mutante) as url:
                return self._executar(url, dados, mutante.etiquetas)
        finally:
            arquivo.write_text(certo, encoding="utf-8")
            shutil.rmtree(dados)

    @contextmanager
    def _sistema(self, dados: Path, mutante: Mutante) -> Iterator[str]:
        porta = _porta_livre()
        fontes = os.pathsep.join(str(pasta) for pasta in self._copia.glob("services/*/src"))
        saida = self._pasta / "sistema.txt"
        comando = [sys.executable, "-m", "devstack", "run", "--port", str(porta)]
        comando += ["--data", str(dados), "--validation", mutante.modo]
        ambiente = {**os.environ, "PYTHONPATH": fontes, "PYTHONDONTWRITEBYTECODE": "1"}
        with saida.open("w", encoding="utf-8") as texto:
            processo = subprocess.Popen(
                comando,
                cwd=self._copia,
                env={**ambiente, **mutante.ambiente},
                stdout=texto,
                stderr=subprocess.STDOUT,
            )
        try:
            _esperar(processo, saida)
            yield f"http://127.0.0.1:{porta}"
        finally:
            processo.send_signal(signal.SIGTERM)
            processo.wait(PARAR)

    def _executar(self, url: str, dados: Path, etiquetas: tuple[str, ...]) -> list[str]:
        relatorios = self._pasta / "relatorios"
        segredo = dados / "secrets" / "oauth-clients" / "synthetic"
        comando = [sys.executable, "-m", "executar", "--url", url]
        comando += ["--segredo", str(segredo), "--relatorios", str(relatorios)]
        comando += [f"--etiqueta={etiqueta}" for etiqueta in etiquetas]
        feito = subprocess.run(comando, check=False, capture_output=True, text=True)
        if feito.returncode not in EXECUTOU:
            raise BancadaError(f"a suíte não executou: {feito.stderr}")
        return sorted(_falhas(relatorios / "output.xml"))


def _falhas(saida: Path) -> Iterator[str]:
    for suite in ET.parse(saida).iter("suite"):  # noqa: S314 - o Robot acaba de o escrever
        for teste in suite.findall("test"):
            situacao = teste.find("status")
            if situacao is not None and situacao.get("status") == "FAIL":
                yield f"{suite.get('name')}: {teste.get('name')}"


def _esperar(processo: subprocess.Popen[bytes], saida: Path) -> None:
    """Espera que o sistema diga que está pronto; levanta ``NaoIniciaError``."""
    prazo = time.monotonic() + PACIENCIA
    while PRONTO not in saida.read_text(encoding="utf-8"):
        if processo.poll() is not None or time.monotonic() > prazo:
            fim = saida.read_text(encoding="utf-8")[-500:]
            raise NaoIniciaError(f"o sistema não inicia: {fim}")
        time.sleep(0.1)


def _porta_livre() -> int:
    with socket.socket() as prova:
        prova.bind(("127.0.0.1", 0))
        return int(prova.getsockname()[1])
