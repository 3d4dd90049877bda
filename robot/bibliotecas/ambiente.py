"""O sistema sob teste, visto de um processo do Robot: onde está, o que promete, quem o chama."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from robot.api import SkipExecution, logger

from contratos import Contratos
from origem import origem
from registro import anotar
from tokens import conteudo as conteudo_do_token

PACIENCIA = 10.0  # segundos; nenhum serviço tenta por mais tempo do que isso
MOSTRAR = 2_000  # letras de um corpo no log
FOLGA = 5.0  # segundos: um token que vence antes disso já não serve
OPERACAO = "operacao"  # onde a resposta leva o nome da operação que respondeu
CRIADO, LIDO, OCUPADO, ESPERE = 201, 200, 409, 429


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
        saida = httpx.HTTPTransport(local_address=origem(url))
        self._http = httpx.Client(base_url=url, timeout=PACIENCIA, transport=saida)
        self._contratos = Contratos(self._http)
        self._arquivo_do_segredo = arquivo_do_segredo
        self._pessoa: tuple[str, str] | None = None
        self._tokens: dict[str, str] = {}

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
            resposta.extensions[OPERACAO] = operacao.nome
            anotar(operacao.nome, resposta.status_code)
            operacao.conferir(resposta)
        return resposta

    def entrar(self, caminho: str, nome: str, senha: str) -> httpx.Response:
        """Entra com um nome e uma senha; se o sistema pede que espere, espera e tenta de novo."""
        while True:
            resposta = self.chamar("POST", caminho, auth=(nome, senha))
            if resposta.status_code != ESPERE:
                return resposta
            time.sleep(float(resposta.headers["Retry-After"]))

    def token_de_usuario(self) -> str:
        """Devolve o token da pessoa que os cenários são."""
        if not self._ainda_serve("usuário"):
            nome, senha = self._pessoa_que_entra()
            documento = _exigir(LIDO, self.entrar("/users/login", nome, senha))
            self._tokens["usuário"] = str(documento["token"])
        return self._tokens["usuário"]

    def token_de_monitor(self, escopos: str = "") -> str:
        """Devolve um token do mundo sintético, com os escopos pedidos, ou com todos."""
        if not self._ainda_serve(escopos):
            formulario = {"grant_type": "client_credentials"}
            if escopos:
                formulario["scope"] = escopos
            credenciais = ("synthetic", self.segredo())
            resposta = self.chamar("POST", "/users/token", data=formulario, auth=credenciais)
            self._tokens[escopos] = str(_exigir(LIDO, resposta)["access_token"])
        return self._tokens[escopos]

    def segredo(self) -> str:
        """Devolve o segredo dos monitores; sem ele, o cenário é pulado, e diz por quê."""
        if not self._arquivo_do_segredo:
            raise SkipExecution("falta o segredo dos monitores (SECRET_FILE), que o cenário usa")
        return Path(self._arquivo_do_segredo).read_text(encoding="utf-8-sig").strip()

    def _pessoa_que_entra(self) -> tuple[str, str]:
        """Devolve um nome e uma senha, cadastrados na primeira vez.

        O sistema não apaga usuários. Quem tem o segredo dos monitores tira dele sempre a mesma
        pessoa, e muitas execuções deixam uma só; sem ele, cada processo deixa uma.
        """
        if self._pessoa is None:
            segredo = self.segredo() if self._arquivo_do_segredo else secrets.token_hex(32)
            nome, senha = (
                hashlib.sha256(f"{parte} {segredo}".encode()).hexdigest() for parte in "ab"
            )
            self._pessoa = f"aceitacao-{nome[:12]}", senha
            dados = dict(zip(("username", "password"), self._pessoa, strict=True))
            resposta = self.chamar("POST", "/users/create", json=dados)
            if resposta.status_code != OCUPADO:
                _exigir(CRIADO, resposta)
        return self._pessoa

    def _ainda_serve(self, nome: str) -> bool:
        token = self._tokens.get(nome)
        return token is not None and conteudo_do_token(token)["exp"] - time.time() > FOLGA

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


def _exigir(status: int, resposta: httpx.Response) -> dict[str, Any]:
    if resposta.status_code != status:
        pedido = f"{resposta.request.method} {resposta.request.url.path}"
        raise AssertionError(
            f"{pedido} respondeu {resposta.status_code} em vez de {status}: "
            f"{resposta.text[:MOSTRAR]}"
        )
    documento: dict[str, Any] = resposta.json()
    return documento
