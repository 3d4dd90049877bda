"""A biblioteca com que os cenários falam com o sistema: quem pede, o que pede, o que volta."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from robot.api.deco import keyword, library

from ambiente import Ambiente, ambiente
from conferencias import Conferencias
from tokens import adulterar, conteudo

DEMORA = 10.0  # segundos até que uma consequência tenha de se ver
PAUSA = 0.05  # segundos entre duas olhadas
CRIADO, LIDO, SUMIDO = 201, 200, 404

# o que um cenário cria por ali, apaga por aqui
APAGAR_EM = {
    "/clients/create": "/clients/delete/{id}",
    "/address/create": "/address/delete/{id}",
    "/products/create": "/products/delete/{id}",
    "/inventory/add_product": "/inventory/remove_product/{id}",
}


@library(scope="TEST", auto_keywords=False)
class Sistema(Conferencias):
    """Fala com o sistema como um usuário, um monitor ou um estranho, e apaga o que foi criado.

    Cada resposta, de todo pedido, é conferida contra o contrato que o serviço publica.
    """

    def __init__(self, url: str, segredo: str = "") -> None:
        """Fala com o sistema em ``url``; ``segredo`` é o arquivo com o segredo dos monitores."""
        super().__init__()
        self._url, self._arquivo_do_segredo = url, segredo
        self._token: str | None = ""  # vazio: o do usuário; None: nenhum
        self._monitorando = False
        self._criados: dict[str, str | None] = {}

    @property
    def _ambiente(self) -> Ambiente:
        return ambiente(self._url.rstrip("/"), self._arquivo_do_segredo)

    @keyword("Não tenho token")
    def nao_tenho_token(self) -> None:
        """Os próximos pedidos vão sem token."""
        self._token = None

    @keyword("Meu token só permite ${escopos}")
    def meu_token_so_permite(self, escopos: str) -> None:
        """Os próximos pedidos vão com um token bom, que permite só isto."""
        self._token = self._ambiente.token_de_monitor(escopos)

    @keyword("Meu token é um ${modo}")
    def meu_token_e_um(self, modo: str) -> None:
        """Os próximos pedidos vão com um token adulterado."""
        self._token = adulterar(self._ambiente.token_de_usuario(), modo)

    @keyword("Usar o token")
    def usar_o_token(self, token: str) -> None:
        """Os próximos pedidos vão com este token."""
        self._token = token

    @keyword("Sou um monitor")
    def sou_um_monitor(self) -> None:
        """Os próximos pedidos, e as próximas leituras, são de um monitor do sistema."""
        self._monitorando, self._token = True, ""

    @keyword("Sou um usuário")
    def sou_um_usuario(self) -> None:
        """Os próximos pedidos, e as próximas leituras, são de um usuário comum."""
        self._monitorando, self._token = False, ""

    @keyword("Token de usuário")
    def token_de_usuario(self) -> str:
        """Devolve o token do usuário com que os cenários entram no sistema."""
        return self._ambiente.token_de_usuario()

    @keyword("Segredo dos monitores")
    def segredo_dos_monitores(self) -> str:
        """Devolve o segredo com que os monitores pedem tokens."""
        return self._ambiente.segredo()

    @keyword("Conteúdo do token")
    def conteudo_do_token(self, token: str) -> dict[str, Any]:
        """Devolve o que o token afirma de quem o leva."""
        return conteudo(token)

    @keyword("Pedir")
    def pedir(
        self,
        metodo: str,
        caminho: str,
        corpo: Any = None,  # noqa: ANN401 - qualquer valor de JSON
        filtros: Mapping[str, Any] | None = None,
        **cabecalhos: str,
    ) -> httpx.Response:
        """Pede algo ao sistema, que pode recusar; os próximos passos julgam a resposta."""
        conteudo_do_pedido = {"json": corpo} if corpo is not None else {}
        return self._enviar(metodo, caminho, cabecalhos, params=filtros, **conteudo_do_pedido)

    @keyword("Pedir com texto")
    def pedir_com_texto(self, metodo: str, caminho: str, texto: str, tipo: str) -> httpx.Response:
        """Pede algo com um corpo qualquer, que não precisa ser JSON."""
        return self._enviar(metodo, caminho, {"Content-Type": tipo}, content=texto.encode())

    @keyword("Pedir com senha")
    def pedir_com_senha(
        self, metodo: str, caminho: str, nome: str, senha: str, **formulario: str
    ) -> httpx.Response:
        """Pede algo com um nome e uma senha (HTTP Basic), e às vezes um formulário."""
        self._token = None
        dados = {"data": formulario} if formulario else {}
        return self._enviar(metodo, caminho, {}, auth=(nome, senha), **dados)

    @keyword("Criar")
    def criar(self, caminho: str, corpo: dict[str, Any]) -> int:
        """Cria algo, que o sistema tem de aceitar, e devolve o id."""
        resposta = self._chamar("POST", caminho, {}, self._de_quem_le(), json=corpo)
        self._exigir_de(resposta, CRIADO)
        return int(resposta.json()["id"])

    @keyword("Ler")
    def ler(self, caminho: str, **filtros: str) -> Any:  # noqa: ANN401 - qualquer valor de JSON
        """Lê o que está guardado; não muda a resposta que os próximos passos julgam."""
        resposta = self._chamar("GET", caminho, {}, self._de_quem_le(), params=filtros or None)
        self._exigir_de(resposta, LIDO)
        return resposta.json()

    @keyword("Ler em páginas de um")
    def ler_em_paginas_de_um(self, caminho: str, primeiro: int, ultimo: int) -> list[Any]:
        """Lê uma lista, página a página, do id ``primeiro`` ao ``ultimo``, os dois incluídos."""
        lidos: list[Any] = []
        filtros: dict[str, Any] = {"limit": 1, "after": primeiro - 1}
        seguinte = f"{caminho}?{urlencode(filtros)}"
        while seguinte and (not lidos or lidos[-1]["id"] < ultimo):
            resposta = self._chamar("GET", seguinte, {}, self._de_quem_le())
            self._exigir_de(resposta, LIDO)
            lidos += resposta.json()
            seguinte = resposta.links.get("next", {}).get("url", "")
        return lidos

    @keyword("Fazer")
    def fazer(self, metodo: str, caminho: str, corpo: dict[str, Any] | None = None) -> None:
        """Muda ou apaga algo, que o sistema tem de aceitar."""
        conteudo_do_pedido = {"json": corpo} if corpo is not None else {}
        resposta = self._chamar(metodo, caminho, {}, self._de_quem_le(), **conteudo_do_pedido)
        self._exigir_de(resposta, LIDO)

    @keyword("Não deve haver")
    def nao_deve_haver(self, caminho: str) -> None:
        """Exige que não haja nada neste caminho."""
        resposta = self._chamar("GET", caminho, {}, self._de_quem_le())
        self._exigir_de(resposta, SUMIDO)

    @keyword("Esperar que fique vazio")
    def esperar_que_fique_vazio(self, caminho: str) -> None:
        """Olha de novo e de novo, até que a lista esteja vazia; desiste depois de 10 segundos."""
        prazo = time.monotonic() + DEMORA
        while sobra := self.ler(caminho):
            if time.monotonic() > prazo:
                raise AssertionError(f"{caminho} ainda tem, depois de {DEMORA:.0f} s: {sobra}")
            time.sleep(PAUSA)

    @keyword("Apagar o que o cenário criou")
    def apagar_o_que_o_cenario_criou(self) -> None:
        """Apaga tudo o que foi criado, do mais novo ao mais antigo."""
        restos = []
        for caminho, token in reversed(self._criados.items()):
            resposta = self._ambiente.chamar("DELETE", caminho, token=token)
            if resposta.status_code not in {LIDO, SUMIDO}:
                restos.append(f"{caminho}: {resposta.status_code} {resposta.text}")
        self._criados.clear()
        if restos:
            raise AssertionError(f"não consegui apagar: {'; '.join(restos)}")

    def _enviar(
        self,
        metodo: str,
        caminho: str,
        cabecalhos: Mapping[str, str],
        **conteudo_do_pedido: Any,  # noqa: ANN401 - os parâmetros do próprio httpx
    ) -> httpx.Response:
        token = self._de_quem_le() if self._token == "" else self._token
        self._resposta = self._chamar(metodo, caminho, cabecalhos, token, **conteudo_do_pedido)
        return self._resposta

    def _chamar(
        self,
        metodo: str,
        caminho: str,
        cabecalhos: Mapping[str, str],
        token: str | None,
        **conteudo_do_pedido: Any,  # noqa: ANN401 - os parâmetros do próprio httpx
    ) -> httpx.Response:
        resposta = self._ambiente.chamar(
            metodo, caminho, token=token, cabecalhos=cabecalhos, **conteudo_do_pedido
        )
        apagar = APAGAR_EM.get(caminho.rstrip("/"))
        if apagar and resposta.status_code == CRIADO:
            self._criados[apagar.format(id=resposta.json()["id"])] = token
        return resposta

    def _de_quem_le(self) -> str:
        if self._monitorando:
            return self._ambiente.token_de_monitor()
        return self._ambiente.token_de_usuario()
