"""Conta, linha a linha num arquivo, cada cenário que termina: é o progresso que se vê."""

from pathlib import Path

from robot import result, running

SITUACAO = {"PASS": "passou", "FAIL": "FALHOU", "SKIP": "pulado"}


class progresso:  # noqa: N801 - o Robot procura a classe pelo nome do módulo
    """Escreve o resultado e o nome de cada cenário."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, arquivo: str) -> None:
        """Escreve em ``arquivo``, que os processos dividem."""
        self._arquivo = Path(arquivo)

    def end_test(self, _: running.TestCase, resultado: result.TestCase) -> None:
        """Anota um cenário; uma linha curta se escreve inteira, também entre processos."""
        linha = f"{SITUACAO[resultado.status]}  {resultado.parent.name}: {resultado.name}\n"
        with self._arquivo.open("a", encoding="utf-8") as arquivo:
            arquivo.write(linha)
