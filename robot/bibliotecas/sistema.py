"""Como um cenário fala com o sistema: quem pede, o que pede, o que volta, o que se apaga."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from robot.api.deco import keyword

from ambiente import OPERACAO, Ambiente, ambiente
from conferencias import Conferencias
from dados import Dados
from tipos import APAGAR_EM
from tokens import adulterar, conteudo

DEMORA = 10.0  # segundos até que uma consequência tenha de se ver
PAUSA = 0.05  # segundos entre duas olhadas
CRIADO, LIDO, SUMIDO = 201, 200, 404


class Sistema(Conferencias):
    """Fala com o sistema como um usuário, um monitor ou um estranho, e apaga o que foi criado.

    Cada resposta, de todo pedido, é conferida contra o contrato que o serviço publica.
    """

    def __init__(self, url: str, segredo: str = "", marca: str = "") -> None:
        """Fala com o sistema em ``url``, e põe ``marca`` no que inventa.

        ``segredo`` é o arquivo com o segredo dos monitores.
        """
        super().__init__()
        self._url, self._arquivo_do_segredo = url, segredo
        self._dados = Dados(marca)
        self._token: str | None = ""  # vazio: o do usuário; None: nenhum
        self._monitorando = False
        self._chave = ""
        self._criados: dict[str, bool] = {}  # o caminho que apaga, e se é do mundo sintético
        self._operacoes: set[str] = set()

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

    @keyword("Sou um monitor")
    def sou_um_monitor(self) -> None:
        """Os próximos pedidos, e as próximas leituras, são de um monitor do sistema."""
        self._monitorando, self._token = True, ""

    @keyword("Sou um usuário")
    def sou_um_usuario(self) -> None:
        """Os próximos pedidos, e as próximas leituras, são de um usuário comum."""
        self._monitorando, self._token = False, ""

    @keyword("Tenho uma chave nova")
    def tenho_uma_chave_nova(self) -> None:
        """Inventa uma chave de repetição (Idempotency-Key)."""
        self._chave = self._dados.chave_nova()

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
            elo = resposta.links.get("next", {}).get("url", "")
            seguinte = urljoin(caminho, elo) if elo else ""
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
        self.esperar_que(f"{caminho} fique vazio", lambda: not self.ler(caminho))

    def esperar_que(self, o_que: str, aconteceu: Callable[[], bool]) -> None:
        """Olha de novo e de novo, até que aconteça; desiste depois de 10 segundos."""
        prazo = time.monotonic() + DEMORA
        while not aconteceu():
            if time.monotonic() > prazo:
                raise AssertionError(f"esperei {DEMORA:.0f} s que {o_que}, e não aconteceu")
            time.sleep(PAUSA)

    @keyword("Encerrar o cenário")
    def encerrar(self, etiquetas: list[str], resultado: str) -> None:
        """Apaga o que foi criado, e exige que o cenário tenha feito o que as etiquetas dizem."""
        restos = list(self._apagar_tudo())
        if restos:
            raise AssertionError(f"não consegui apagar: {'; '.join(restos)}")
        provadas = {etiqueta.removeprefix("op:") for etiqueta in etiquetas if etiqueta[:3] == "op:"}
        if resultado == "PASS" and provadas - self._operacoes:
            faltam = ", ".join(sorted(provadas - self._operacoes))
            raise AssertionError(
                f"as etiquetas dizem que o cenário chama {faltam}, e ele não chama"
            )

    def _apagar_tudo(self) -> Iterator[str]:
        """Apaga do mais novo ao mais antigo, e devolve o que não conseguiu apagar."""
        while self._criados:
            caminho, sintetico = self._criados.popitem()
            token = self._token_de(monitor=sintetico)
            resposta = self._ambiente.chamar("DELETE", caminho, token=token)
            if resposta.status_code not in {LIDO, SUMIDO}:
                yield f"{caminho}: {resposta.status_code} {resposta.text}"

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
        self._notar(resposta)
        apagar = APAGAR_EM.get(caminho.rstrip("/"))
        if apagar and resposta.status_code == CRIADO:
            sintetico = conteudo(token or "")["realm"] == "synthetic"
            self._criados[apagar.format(id=resposta.json()["id"])] = sintetico
        return resposta

    def _notar(self, resposta: httpx.Response) -> None:
        """Guarda que operação respondeu, para que as etiquetas do cenário digam a verdade."""
        self._operacoes.add(resposta.extensions.get(OPERACAO, ""))

    def _de_quem_le(self) -> str:
        return self._token_de(monitor=self._monitorando)

    def _token_de(self, *, monitor: bool) -> str:
        if monitor:
            return self._ambiente.token_de_monitor()
        return self._ambiente.token_de_usuario()
