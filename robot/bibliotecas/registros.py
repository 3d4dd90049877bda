"""De que registros um cenário fala: os clientes, endereços e produtos que inventa e cadastra."""

from typing import Any

import httpx
from robot.api.deco import keyword
from robot.libraries.BuiltIn import BuiltIn

from sistema import Sistema
from tipos import EMBUTIDO, TIPOS

Registro = dict[str, Any]


class Registros(Sistema):
    """Inventa e cadastra o de que o cenário precisa, e lembra de que ele fala.

    O cenário fala de um registro de cada tipo (*o cliente*), e às vezes de outro (*o outro
    cliente*). Os recursos acham os primeiros em ``${CLIENTE}``, ``${ENDERECO}`` e ``${PRODUTO}``.
    """

    def __init__(self, url: str, segredo: str = "", marca: str = "") -> None:
        """Fala com o sistema em ``url``; põe ``marca`` no que inventa."""
        super().__init__(url, segredo, marca)
        self._enviado: Registro = {}
        self._atuais: dict[str, Registro] = {}
        self._outros: dict[str, Registro] = {}
        self._versoes: dict[str, str] = {}
        self._lidos: list[Registro] = []
        self._corridas: list[tuple[Registro, httpx.Response]] = []

    @keyword(f"Tenho os dados de um {EMBUTIDO}")
    def tenho_os_dados(self, tipo: str, **campos: object) -> None:
        """Inventa dados que ninguém cadastrou; ``campo=valor`` escolhe um campo."""
        self._enviado = self._inventar(tipo, campos)

    @keyword(f'Tenho os dados de um {EMBUTIDO} com o mesmo "${{campo}}"')
    def tenho_os_dados_com_o_mesmo(self, tipo: str, campo: str) -> None:
        """Inventa dados que repetem um campo do registro de que o cenário fala."""
        self._enviado = self._inventar(tipo, {campo: self._atuais[tipo][campo]})

    @keyword(f'Tenho os dados de um {EMBUTIDO} com o mesmo "${{campo}}" em maiúsculas')
    def tenho_os_dados_em_maiusculas(self, tipo: str, campo: str) -> None:
        """Inventa dados que repetem um campo do registro, mas em maiúsculas."""
        self._enviado = self._inventar(tipo, {campo: self._atuais[tipo][campo].upper()})

    @keyword(f'Tenho os dados de um {EMBUTIDO} com o "${{campo}}" igual a ${{valor}}')
    def tenho_os_dados_com_o_valor(self, tipo: str, campo: str, valor: str) -> None:
        """Inventa dados e põe num campo este valor, escrito como em JSON."""
        self._enviado = self._dados.trocar_campo(self._inventar(tipo, {}), campo, valor)

    @keyword("Ponho nos dados")
    def ponho_nos_dados(self, campo: str, valor: Any) -> None:  # noqa: ANN401 - JSON
        """Põe um campo nos dados do cenário."""
        self._enviado = {**self._enviado, campo: valor}

    @keyword("Tiro dos dados")
    def tiro_dos_dados(self, campo: str) -> None:
        """Tira um campo dos dados do cenário."""
        self._enviado = {nome: valor for nome, valor in self._enviado.items() if nome != campo}

    @keyword(f"Há um {EMBUTIDO}")
    def ha_um(self, tipo: str, **campos: object) -> None:
        """Cadastra o registro de que o cenário vai falar."""
        self._lembrar(tipo, self._cadastrar(tipo, campos))

    @keyword(f"Há outro {EMBUTIDO}")
    def ha_outro(self, tipo: str, **campos: object) -> None:
        """Cadastra mais um registro, com o qual o primeiro se compara."""
        self._outros[tipo] = self._cadastrar(tipo, campos)

    @keyword("Id do outro ${tipo}")
    def id_do_outro(self, tipo: str) -> int:
        """Devolve o id do registro com que o primeiro se compara."""
        return int(self._outros[tipo]["id"])

    @keyword(f"Li a versão do {EMBUTIDO}")
    def li_a_versao(self, tipo: str) -> None:
        """Guarda a versão (ETag) do registro; a de um endereço vem na resposta a uma mudança."""
        if tipo == "endereço":
            resposta = self.pedir("PUT", self._caminho(TIPOS[tipo].mudar, tipo), self._sem_id(tipo))
        else:
            resposta = self._consultar(tipo)
        self._exigir_de(resposta, 200)
        self._versoes[tipo] = resposta.headers["ETag"]

    @keyword(f"Alguém mudou o {EMBUTIDO}")
    def alguem_mudou(self, tipo: str) -> None:
        """Muda o registro por outra pessoa, no meio do cenário."""
        dados = self._inventar(tipo, {})
        self.fazer("PUT", self._caminho(TIPOS[tipo].mudar, tipo), dados)
        self._lembrar(tipo, self._dados.como_se_le(dados, id=self._atuais[tipo]["id"]))

    def _inventar(self, tipo: str, campos: Registro) -> Registro:
        inventar = {
            "cliente": self._dados.dados_de_um_cliente,
            "endereço": self._dados.dados_de_um_endereco,
            "produto": self._dados.dados_de_um_produto,
        }
        if tipo != "endereço":
            return dict(inventar[tipo](**campos))
        if "cliente" not in self._atuais:
            self.ha_um("cliente")
        return {"client_id": self._atuais["cliente"]["id"], **inventar[tipo](**campos)}

    def _cadastrar(self, tipo: str, campos: Registro) -> Registro:
        dados = self._inventar(tipo, campos)
        return dict(self._dados.como_se_le(dados, id=self.criar(TIPOS[tipo].criar, dados)))

    def _lembrar(self, tipo: str, registro: Registro) -> None:
        self._atuais[tipo] = registro
        BuiltIn().set_test_variable(f"${{{tipo.upper().replace('Ç', 'C')}}}", registro)

    def _sem_id(self, tipo: str) -> Registro:
        return {campo: valor for campo, valor in self._atuais[tipo].items() if campo != "id"}

    def _caminho(self, modelo: str, tipo: str) -> str:
        return modelo.format(**self._atuais[tipo])

    def _consultar(self, tipo: str, **cabecalhos: str) -> Any:  # noqa: ANN401 - httpx.Response
        caminho = self._caminho(TIPOS[tipo].consultar, tipo)
        return self.pedir("GET", caminho, **cabecalhos)

    def _guardado(self, tipo: str, registro: Registro) -> Registro | None:
        lido = self.ler(TIPOS[tipo].consultar.format(**registro))
        if isinstance(lido, list):
            return next((um for um in lido if um["id"] == registro["id"]), None)
        achado: Registro = lido
        return achado

    def _deve_se_ler(self, tipo: str, esperado: Registro) -> None:
        self.deve_ter(self._guardado(tipo, esperado), esperado)

    def _a_partir_de(self, tipo: str) -> dict[str, int]:
        """Devolve o filtro que começa a lista no registro, para que outros não a encham."""
        return {"after": self._atuais[tipo]["id"] - 1} if tipo in self._atuais else {}
