"""Escreve as páginas que explicam os passos: uma de cada biblioteca, uma de cada recurso."""

import argparse
import sys
from pathlib import Path

from robot.libdoc import libdoc

ROBOT = Path(__file__).resolve().parents[1]
PASTA = ROBOT.parent / "reports" / "robot" / "passos"


def main() -> int:
    """Escreve as páginas, e diz onde estão."""
    argparse.ArgumentParser(prog="make docs", description=__doc__).parse_args()
    sys.path.insert(0, str(ROBOT / "bibliotecas"))
    PASTA.mkdir(parents=True, exist_ok=True)
    for nome in ("cenario.py::http://sistema", "dados.py", "modo.py::http://sistema"):
        _escrever(ROBOT / "bibliotecas" / nome, nome.partition(".")[0])
    for recurso in sorted((ROBOT / "recursos").glob("*.resource")):
        _escrever(recurso, recurso.stem)
    print(f"Os passos estão em {PASTA}")
    return 0


def _escrever(fonte: Path, nome: str) -> None:
    libdoc(str(fonte), str(PASTA / f"{nome}.html"), name=nome, quiet=True)


if __name__ == "__main__":
    sys.exit(main())
