"""A biblioteca que os cenários usam: tudo o que se pede ao sistema e se exige dele, num cenário."""

from robot.api.deco import library

from acesso import Acesso
from portas import Portas
from publicado import Publicado


@library(scope="TEST", auto_keywords=False)
class Cenario(Portas, Acesso, Publicado):
    """Um cenário: quem o faz, de que registros ele fala, e a última resposta que ouviu.

    Apaga no fim o que criou. Cada resposta é conferida contra o contrato que o serviço publica.
    """
