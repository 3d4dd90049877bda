"""Descobre com que rigor o sistema confere documentos: VALIDATION=strict ou VALIDATION=format."""

from robot.api import SkipExecution, logger
from robot.api.deco import keyword, library

from ambiente import Ambiente, ambiente
from dados import Dados

MODOS = {"strict": False, "format": True}  # se um documento que só tem a forma certa é aceito
CRIADO = 201


@library(scope="GLOBAL", auto_keywords=False)
class Modo:
    """Descobre o modo por dois sinais independentes, que têm de concordar."""

    def __init__(self, url: str, segredo: str = "", modo: str = "detectar") -> None:
        """Olha o sistema em ``url``; um ``modo`` dito de antemão tem de ser o que se vê."""
        self._url, self._segredo, self._dito = url.rstrip("/"), segredo, modo
        self._visto: str | None = None

    @keyword('O sistema está no modo "${modo}"')
    def o_sistema_esta_no_modo(self, modo: str) -> None:
        """Segue quando o sistema está no modo; em outro, o cenário é pulado, e diz por quê."""
        visto = self.modo_do_sistema()
        if visto != modo:
            raise SkipExecution(f"o sistema está com VALIDATION={visto}; o cenário é de {modo}")

    @keyword("Modo do sistema")
    def modo_do_sistema(self) -> str:
        """Devolve ``strict`` ou ``format``.

        Raises:
            AssertionError: os sinais discordam entre si, ou do modo que foi dito.

        """
        if self._dito != "detectar":
            return self._dito
        if self._visto is None:
            self._visto = self._olhar()
            logger.info(f"o sistema está com VALIDATION={self._visto}")
        return self._visto

    def _olhar(self) -> str:
        sistema, dados = ambiente(self._url, self._segredo), Dados()
        pessoa = dados.dados_de_um_cliente()
        errada = dados.dados_de_um_cliente(cpf=dados.cpf_com_digito_errado())
        cliente = _criar(sistema, "/clients/create", pessoa)
        try:
            lugar = {**dados.dados_de_um_endereco(state="TS"), "client_id": cliente}
            aceita = {
                "um CPF de dígitos errados": _criar(sistema, "/clients/create", errada),
                "um estado que não existe": _criar(sistema, "/address/create", lugar),
            }
        finally:
            _apagar(sistema, cliente)
        _apagar(sistema, aceita["um CPF de dígitos errados"])
        sinais = {sinal: bool(numero) for sinal, numero in aceita.items()}
        for modo, aceito in MODOS.items():
            if set(sinais.values()) == {aceito}:
                return modo
        raise AssertionError(f"o sistema mistura os modos strict e format; aceita? {sinais}")


def _criar(sistema: Ambiente, caminho: str, corpo: dict[str, object]) -> int:
    resposta = sistema.chamar("POST", caminho, token=sistema.token_de_usuario(), json=corpo)
    return int(resposta.json()["id"]) if resposta.status_code == CRIADO else 0


def _apagar(sistema: Ambiente, cliente: int) -> None:
    if cliente:
        caminho = f"/clients/delete/{cliente}"
        sistema.chamar("DELETE", caminho, token=sistema.token_de_usuario())
