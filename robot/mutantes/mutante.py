"""Um defeito: um trecho de um arquivo que se troca por outro."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Mutante:
    """Um defeito, e onde ele se vê."""

    nome: str
    arquivo: str
    antes: str
    depois: str
    etiquetas: tuple[str, ...]
    modo: str = "strict"
    ambiente: Mapping[str, str] = field(default_factory=dict)


def ler(caminho: Path) -> list[Mutante]:
    """Lê os defeitos de um arquivo TOML."""
    documento = tomllib.loads(caminho.read_text(encoding="utf-8"))
    return [Mutante(**um) for um in documento["mutante"]]
