"""Põe defeitos nos serviços, um por vez, e vê se a suíte de aceitação acha cada um.

Cada defeito vai numa cópia dos serviços, contra um sistema novo. Sai com 0 se a suíte achou todos
menos um, no máximo; com 1 se deixou passar mais; com 2 se não deu para tentar.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from mutantes.bancada import Bancada, BancadaError, NaoIniciaError
from mutantes.mutante import Mutante, ler

PERDOADOS = 1  # quantos defeitos podem passar
MUTANTES = Path(__file__).with_name("mutantes.toml")


def main() -> int:
    """Tenta cada defeito, e mostra numa tabela que cenários o acharam."""
    escolhidos = _opcoes().defeito
    try:
        mutantes = [
            um for um in ler(MUTANTES) if not escolhidos or any(s in um.nome for s in escolhidos)
        ]
        if not mutantes:
            raise BancadaError("nenhum defeito tem esse nome")
        with tempfile.TemporaryDirectory(prefix="mutantes-") as pasta:
            bancada = Bancada(Path(pasta))
            for mutante in mutantes:
                bancada.conferir(mutante)
            bancada.preparar()
            achados = {
                um.nome: _tentar(bancada, um, i, len(mutantes)) for i, um in enumerate(mutantes, 1)
            }
    except BancadaError as erro:
        sys.stderr.write(f"robot-mutants: {erro}\n")
        return 2
    print("\n".join(_tabela(achados)))
    passaram = sum(not cenarios for cenarios in achados.values())
    return 0 if passaram <= PERDOADOS else 1


def _opcoes() -> argparse.Namespace:
    leitor = argparse.ArgumentParser(
        prog="python -m mutantes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    leitor.add_argument(
        "--defeito", action="append", default=[], help="só os defeitos com isto no nome"
    )
    return leitor.parse_args()


def _tentar(bancada: Bancada, mutante: Mutante, numero: int, total: int) -> list[str]:
    inicio = time.monotonic()
    achado_por: list[str] = []
    try:
        achado_por = bancada.tentar(mutante)
        veredito = f"achado por {len(achado_por)}" if achado_por else "PASSOU"
    except NaoIniciaError as erro:  # um defeito que se vê sem a suíte não diz nada dela
        veredito = f"PASSOU: {erro}"
    segundos = time.monotonic() - inicio
    linha = f"{numero:3}/{total}  {mutante.nome}: {veredito}, em {segundos:.0f} s"
    print(linha, file=sys.stderr, flush=True)
    return achado_por


def _tabela(achados: dict[str, list[str]]) -> list[str]:
    linhas = ["| defeito | cenários que o acharam |", "|---|---|"]
    linhas += [f"| {nome} | {'; '.join(por) or '**nenhum**'} |" for nome, por in achados.items()]
    total = sum(bool(por) for por in achados.values())
    return [*linhas, "", f"{total} de {len(achados)} defeitos achados."]


if __name__ == "__main__":
    sys.exit(main())
