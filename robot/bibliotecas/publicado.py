"""O que cada serviço publica sobre si mesmo: o contrato, e uma página para experimentar."""

import re
from urllib.parse import urljoin

import httpx
from robot.api.deco import keyword

from sistema import Sistema

PECA = re.compile(r'(?:href|src)="([^"]+)"')
LIDO, MUDOU_DE_LUGAR = 200, 308


class Publicado(Sistema):
    """Lê o que está aberto a todos, sem token."""

    @keyword(r"O contrato em ${caminho:/\S+} descreve ${prefixos}")
    def o_contrato_descreve(self, caminho: str, prefixos: str) -> None:
        """Exige um contrato OpenAPI cujas operações têm nome, resumo, e caminhos deste serviço."""
        resposta = self._aberto(caminho, "application/json")
        documento = resposta.json()
        self.deve_ser_igual(documento["openapi"].rpartition(".")[0], "3.0")
        for endereco, operacoes in documento["paths"].items():
            if f"/{endereco.split('/')[1]}" not in prefixos.split():
                raise AssertionError(f"{endereco} não é deste serviço")
            for operacao in operacoes.values():
                if not operacao["summary"] or not operacao["operationId"]:
                    raise AssertionError(f"{endereco} não diz o que faz")

    @keyword(r"A página em ${caminho:/\S+} se abre com tudo o que ela usa")
    def a_pagina_se_abre(self, caminho: str) -> None:
        """Exige a página, todas as peças dela, e que nenhuma venha de outro lugar."""
        pagina = self._aberto(caminho, "text/html")
        if "default-src 'none'" not in pagina.headers.get("Content-Security-Policy", ""):
            raise AssertionError("a página deixa entrar o que não é dela")
        pecas = PECA.findall(pagina.text)
        if not any(peca.endswith(".js") for peca in pecas):
            raise AssertionError(f"a página não tem programa: {pecas}")
        for peca in pecas:
            self._aberto(urljoin(caminho, peca), "")

    @keyword(r"O caminho ${caminho:/\S+} leva a ${destino:/\S+}")
    def o_caminho_leva_a(self, caminho: str, destino: str) -> None:
        """Exige um encaminhamento que dure (RFC 9110, 308)."""
        resposta = self._chamar("GET", caminho, {}, None)
        self._exigir_de(resposta, MUDOU_DE_LUGAR)
        self.deve_ser_igual(urljoin(caminho, resposta.headers["Location"]), destino)

    @keyword(r"O caminho ${caminho:/\S+} não leva a nada")
    def o_caminho_nao_leva_a_nada(self, caminho: str) -> None:
        """Exige um 404 no formato de toda recusa."""
        self.nao_tenho_token()
        self.pedir("GET", caminho)
        self.nao_existe()

    def _aberto(self, caminho: str, tipo: str) -> httpx.Response:
        resposta = self._chamar("GET", caminho, {}, None)
        self._exigir_de(resposta, LIDO)
        veio = resposta.headers["Content-Type"]
        if not veio.startswith(tipo) or not resposta.content:
            raise AssertionError(f"{caminho} veio vazio, ou como {veio}")
        return resposta
