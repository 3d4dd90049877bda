"""O português dos cenários: o pt-BR do próprio Robot, e as formas que faltam a ele."""

from typing import ClassVar

from robot.conf.languages import PtBr


class PortuguesDosCenarios(PtBr):  # type: ignore[misc] # its types are hidden by our folder
    """Português dos cenários"""  # noqa: D415 - the first line is the language's name

    test_tags_setting = "Etiquetas dos Testes"
    given_prefixes: ClassVar = ["Dado", "Dado que", "Dada", "Dadas", "Dados"]
    and_prefixes: ClassVar = ["E", "E que"]
    but_prefixes: ClassVar = ["Mas", "Mas que"]
