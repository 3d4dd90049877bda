"""O sistema sob teste, visto de um processo do Robot: onde está, o que promete, quem o chama."""

import ipaddress
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from robot.api import SkipExecution, logger

from contratos import Contratos
from registro import anotar

PACIENCIA = 20.0  # segundos
MOSTRAR = 2_000  # letras de um corpo no log


class SistemaForaDoArError(AssertionError):
    """O sistema não respondeu."""

    ROBOT_SUPPRESS_NAME = True


@cache
def ambiente(url: str, arquivo_do_segredo: str) -> "Ambiente":
    """Devolve o ambiente, que é um só para todos os cenários de um processo."""
    return Ambiente(url, arquivo_do_segredo)


class Ambiente:
    """Chama o sistema, confere cada resposta contra o contrato e guarda os tokens."""

    def __init__(self, url: str, arquivo_do_segredo: str = "") -> None:
        """Chama ``url``; o arquivo tem o segredo do cliente OAuth ``synthetic``."""
        self._http = httpx.Client(base_url=url, timeout=PACIENCIA, transport=_saida(url))
        self._contratos = Contratos(self._http)
        self._arquivo_do_segredo = arquivo_do_segredo
        self._token_de_usuario: str | None = None
        self._tokens_de_monitor: dict[str, str] = {}

    def chamar(
        self,
        metodo: str,
        caminho: str,
        *,
        token: str | None = None,
        cabecalhos: Mapping[str, str] | None = None,
        **conteudo: Any,  # noqa: ANN401 - os parâmetros do próprio httpx
    ) -> httpx.Response:
        """Chama o sistema e devolve a resposta, que o contrato descreve.

        Args:
            metodo: o verbo HTTP.
            caminho: a partir do endereço do sistema.
            token: o de quem chama; nenhum, se faltar.
            cabecalhos: outros cabeçalhos.
            conteudo: o corpo e os filtros, como o httpx os quer (``json``, ``params``, ...).

        Raises:
            ForaDoContratoError: a resposta é outra.
            SistemaForaDoArError: não houve resposta.

        """
        enviados = dict(cabecalhos or {})
        if token is not None:
            enviados["Authorization"] = f"Bearer {token}"
        try:
            resposta = self._http.request(metodo, caminho, headers=enviados, **conteudo)
        except httpx.TransportError as erro:
            raise SistemaForaDoArError(f"{metodo} {caminho}: sem resposta ({erro!r})") from erro
        self._mostrar(resposta, conteudo)
        operacao = self._contratos.operacao(metodo, resposta.request.url.path)
        if operacao is not None:
            anotar(operacao.nome, resposta.status_code)
            operacao.conferir(resposta)
        return resposta

    def token_de_usuario(self) -> str:
        """Devolve o token de uma pessoa que se cadastrou e entrou, uma por processo."""
        if self._token_de_usuario is None:
            nome, senha = f"aceitacao-{secrets.token_hex(6)}", secrets.token_urlsafe(24)
            dados = {"username": nome, "password": senha}
            self._exigir(201, self.chamar("POST", "/users/create", json=dados))
            resposta = self.chamar("POST", "/users/login", auth=(nome, senha))
            self._token_de_usuario = str(self._exigir(200, resposta)["token"])
        return self._token_de_usuario

    def token_de_monitor(self, escopos: str = "") -> str:
        """Devolve um token do mundo sintético, com os escopos pedidos, ou com todos."""
        if escopos not in self._tokens_de_monitor:
            formulario = {"grant_type": "client_credentials"}
            if escopos:
                formulario["scope"] = escopos
            credenciais = ("synthetic", self.segredo())
            resposta = self.chamar("POST", "/users/token", data=formulario, auth=credenciais)
            self._tokens_de_monitor[escopos] = str(self._exigir(200, resposta)["access_token"])
        return self._tokens_de_monitor[escopos]

    def segredo(self) -> str:
        """Devolve o segredo dos monitores; sem ele, o cenário é pulado, e diz por quê."""
        if not self._arquivo_do_segredo:
            raise SkipExecution("falta o segredo dos monitores (SECRET_FILE), que o cenário usa")
        return Path(self._arquivo_do_segredo).read_text(encoding="utf-8").strip()

    @staticmethod
    def _exigir(status: int, resposta: httpx.Response) -> dict[str, Any]:
        if resposta.status_code != status:
            pedido = f"{resposta.request.method} {resposta.request.url.path}"
            raise AssertionError(
                f"{pedido} respondeu {resposta.status_code} em vez de {status}: "
                f"{resposta.text[:MOSTRAR]}"
            )
        documento: dict[str, Any] = resposta.json()
        return documento

    @staticmethod
    def _mostrar(resposta: httpx.Response, conteudo: Mapping[str, Any]) -> None:
        """Põe o pedido e a resposta no log do cenário, sem senhas e sem tokens."""
        alvo = resposta.request.url.raw_path.decode()
        if alvo.startswith("/user"):
            logger.info(f"{resposta.request.method} {alvo} -> {resposta.status_code}")
            return
        enviado = conteudo.get("json", conteudo.get("content", ""))
        logger.info(f"{resposta.request.method} {alvo} {str(enviado)[:MOSTRAR]}")
        logger.info(f"-> {resposta.status_code} {resposta.text[:MOSTRAR]}")


def _saida(url: str) -> httpx.HTTPTransport:
    """Devolve por onde sair: na própria máquina, de um endereço que é só deste processo.

    O sistema conta as senhas erradas de cada endereço, e atrasa quem errou muito; os erros de
    propósito de uma execução não devem atrasar a seguinte.
    """
    maquina = httpx.URL(url).host
    try:
        local = maquina == "localhost" or ipaddress.ip_address(maquina).is_loopback
    except ValueError:
        local = False
    if not local or ":" in maquina:
        return httpx.HTTPTransport()
    proprio = ipaddress.IPv4Address("127.1.0.0") + secrets.randbelow(2**20)
    return httpx.HTTPTransport(local_address=str(proprio))
