"""O que os cenários exigem da última resposta do sistema."""

import re
from typing import Any

import httpx
from robot.api.deco import keyword

MOSTRAR = 500  # letras de um corpo na mensagem de um erro


class Conferencias:
    """Julga a resposta ao último pedido."""

    def __init__(self) -> None:
        """Ainda não houve resposta."""
        self._resposta: httpx.Response | None = None

    @property
    def _ultima(self) -> httpx.Response:
        if self._resposta is None:
            raise AssertionError("o cenário ainda não pediu nada ao sistema")
        return self._resposta

    @keyword("O pedido é aceito")
    def o_pedido_e_aceito(self) -> None:
        """Exige que a resposta seja um sim."""
        resposta = self._ultima
        if not resposta.is_success:
            raise AssertionError(f"esperava um sim, e veio {_resumo(resposta)}")

    @keyword("O pedido é recusado por falta de token")
    def falta_token(self) -> None:
        """Exige um 401 que diga como se identificar."""
        self._exigir_recusa(401)
        self.o_cabecalho_diz("WWW-Authenticate", "Bearer")

    @keyword("O pedido é recusado por falta de permissão")
    def falta_permissao(self) -> None:
        """Exige um 403."""
        self._exigir_recusa(403)

    @keyword("A entrada é recusada")
    def entrada_recusada(self) -> None:
        """Exige um 401 a um nome e a uma senha."""
        self._exigir_recusa(401)
        self.o_cabecalho_diz("WWW-Authenticate", "Basic")

    @keyword("O sistema diz que isso não existe")
    def nao_existe(self) -> None:
        """Exige um 404."""
        self._exigir_recusa(404)

    @keyword('O sistema diz que o "${campo}" não existe')
    def campo_nao_existe(self, campo: str) -> None:
        """Exige um 404 que aponte o campo."""
        self._exigir_recusa(404)
        self._exigir_campo(campo)

    @keyword('O sistema diz que o "${campo}" já tem dono')
    def ja_tem_dono(self, campo: str) -> None:
        """Exige um 409 que aponte o campo."""
        self._exigir_recusa(409)
        self._exigir_campo(campo)

    @keyword('O pedido é recusado por causa do "${campo}"')
    def recusado_pelo_campo(self, campo: str, motivo: str = "") -> None:
        """Exige um 400 que aponte o campo; o motivo é o que quem lê o relatório precisa saber."""
        try:
            self._exigir_recusa(400)
            self._exigir_campo(campo)
        except AssertionError as erro:
            raise AssertionError(f"{campo} {motivo or 'está errado'}, mas {erro}") from erro

    @keyword("O pedido é recusado por não ser JSON")
    def nao_e_json(self) -> None:
        """Exige um 400 a um corpo que não se entende."""
        self._exigir_recusa(400)

    @keyword("O pedido é recusado pelo tipo do corpo")
    def tipo_errado(self) -> None:
        """Exige um 415."""
        self._exigir_recusa(415)

    @keyword("O pedido é recusado pelo tamanho")
    def grande_demais(self) -> None:
        """Exige um 413."""
        self._exigir_recusa(413)

    @keyword("O pedido é recusado porque houve outra mudança")
    def mudou_no_meio(self) -> None:
        """Exige um 412."""
        self._exigir_recusa(412)

    @keyword("O pedido é recusado porque nada mudou")
    def recusado_porque_nada_mudou(self) -> None:
        """Exige um 412: o pedido só valia para outra versão."""
        self._exigir_recusa(412)

    @keyword("O pedido é recusado porque a chave serviu a outro")
    def chave_de_outro(self) -> None:
        """Exige um 422."""
        self._exigir_recusa(422)

    @keyword("O sistema pede que eu espere")
    def pede_que_espere(self) -> None:
        """Exige um 429 que diga por quantos segundos."""
        self._exigir_recusa(429)
        self.o_cabecalho_diz("Retry-After", "[1-9][0-9]*$")

    @keyword("O sistema diz que nada mudou")
    def nada_mudou(self) -> None:
        """Exige um 304, que não tem corpo."""
        resposta = self._ultima
        if resposta.status_code != httpx.codes.NOT_MODIFIED:
            raise AssertionError(f"esperava um 304, e veio {_resumo(resposta)}")

    @keyword("O pedido é recusado por usar o verbo errado")
    def verbo_errado(self) -> None:
        """Exige um 405 que diga os verbos que servem."""
        self._exigir_recusa(405)
        self.o_cabecalho_diz("Allow", "[A-Z]")

    @keyword('O cabeçalho "${nome}" diz "${padrao}"')
    def o_cabecalho_diz(self, nome: str, padrao: str) -> None:
        """Exige que um cabeçalho da resposta comece como uma expressão regular diz."""
        valor = self._ultima.headers.get(nome)
        if valor is None or not re.match(padrao, valor):
            raise AssertionError(f"esperava {nome}: {padrao}, e veio {valor!r}")

    @keyword("Conteúdo da resposta")
    def conteudo_da_resposta(self) -> Any:  # noqa: ANN401 - qualquer valor de JSON
        """Devolve o corpo da última resposta."""
        return self._ultima.json()

    @keyword("A resposta é")
    def a_resposta_e(self, esperado: Any) -> None:  # noqa: ANN401 - qualquer valor de JSON
        """Exige que o corpo da última resposta seja exatamente este."""
        self.deve_ser_igual(self._ultima.json(), esperado)

    @keyword("Deve ser igual")
    def deve_ser_igual(self, lido: Any, esperado: Any) -> None:  # noqa: ANN401 - qualquer JSON
        """Exige que dois valores sejam o mesmo, tipos incluídos, e mostra a diferença."""
        if lido != esperado or not _mesmos_tipos(lido, esperado):
            raise AssertionError(f"esperava {esperado!r}, e li {lido!r}")

    def deve_ter(self, lido: Any, esperado: Any) -> None:  # noqa: ANN401 - qualquer JSON
        """Exige os campos esperados com os seus valores; um registro pode ter campos a mais.

        O contrato diz que campos podem vir, e cada resposta é validada com ele. Um campo opcional
        que o cenário não enviou não é um erro.
        """
        self.deve_ser_igual(so_os_campos(lido, esperado), esperado)

    @keyword("Deve estar em ordem")
    def deve_estar_em_ordem(self, linhas: list[dict[str, Any]]) -> None:
        """Exige que os ids só cresçam, sem repetição."""
        ids = [linha["id"] for linha in linhas]
        if ids != sorted(set(ids)):
            raise AssertionError(f"os ids não estão em ordem, ou se repetem: {ids}")

    def _exigir_recusa(self, status: int) -> None:
        resposta = self._ultima
        self._exigir_de(resposta, status)
        problema = resposta.json()
        if problema["status"] != status or not problema["msg"]:
            raise AssertionError(f"o corpo não conta a recusa: {problema}")

    def _exigir_campo(self, campo: str) -> None:
        apontados = [erro["field"] for erro in self._ultima.json().get("errors", [])]
        if apontados != [campo]:
            raise AssertionError(f"esperava que apontasse {campo!r}, e apontou {apontados}")

    @staticmethod
    def _exigir_de(resposta: httpx.Response, status: int) -> None:
        if resposta.status_code != status:
            raise AssertionError(f"esperava {status}, e veio {_resumo(resposta)}")


def so_os_campos(lido: Any, esperado: Any) -> Any:  # noqa: ANN401 - qualquer valor de JSON
    """Devolve o que foi lido, mas de cada objeto só os campos que o esperado tem."""
    if isinstance(lido, dict) and isinstance(esperado, dict):
        return {
            nome: so_os_campos(valor, esperado[nome])
            for nome, valor in lido.items()
            if nome in esperado
        }
    if isinstance(lido, list) and isinstance(esperado, list) and len(lido) == len(esperado):
        return [so_os_campos(um, outro) for um, outro in zip(lido, esperado, strict=True)]
    return lido


def _mesmos_tipos(lido: object, esperado: object) -> bool:
    """Diz se não há um 1 no lugar de um verdadeiro, nem um 1.0 no lugar de um 1."""
    if isinstance(lido, dict) and isinstance(esperado, dict):
        return all(_mesmos_tipos(valor, esperado[nome]) for nome, valor in lido.items())
    if isinstance(lido, list) and isinstance(esperado, list):
        return all(_mesmos_tipos(um, outro) for um, outro in zip(lido, esperado, strict=True))
    return type(lido) is type(esperado)


def _resumo(resposta: httpx.Response) -> str:
    pedido = f"{resposta.request.method} {resposta.request.url.path}"
    return f"{resposta.status_code} a {pedido}: {resposta.text[:MOSTRAR]}"
