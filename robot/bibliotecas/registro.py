"""O livro de cobertura: que status de que operação um cenário viu."""

import os
from pathlib import Path

PASTA = "CADASTRO_LEDGER"


def anotar(operacao: str, status: int) -> None:
    """Anota, na pasta que o ambiente nomeia, que ``operacao`` respondeu com ``status``."""
    pasta = os.environ.get(PASTA)
    if pasta:
        with (Path(pasta) / f"{os.getpid()}.txt").open("a") as arquivo:
            arquivo.write(f"acceptance {operacao} {status}\n")
