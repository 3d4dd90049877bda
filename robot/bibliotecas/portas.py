"""As recusas que valem para toda operação: sem token, sem permissão, id errado, corpo ruim..."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from robot.api.deco import keyword

from compras import Compras
from tipos import EMBUTIDO, TIPOS

PEDIDO = r"${verbo:GET|POST|PUT|DELETE} ${caminho:/\S+}"
LUGAR = re.compile(r"\{([^}]+)\}")
ID_DE_NINGUEM = 9_223_372_036_854_775_807  # o maior id que pode haver
ENORME = " " * 70_000


class Portas(Compras):
    """Bate em cada porta sem a chave certa, e confere que nada mudou.

    Num caminho, ``{cliente}`` é o id de um cliente que existe; ``{endereço}``, ``{produto}`` e
    ``{item}`` também. Outro nome, como ``{client_id}``, é o do campo que a recusa tem de apontar.
    """

    @keyword(f"Sem token, {PEDIDO} é recusado, e nada muda")
    def sem_token(self, verbo: str, caminho: str) -> None:
        """Bate na porta sem token."""
        with self._nada_muda(caminho) as certo:
            self._token = None
            self.pedir(verbo, certo)
            self.falta_token()

    @keyword(f"Com um token ${{como}}, {PEDIDO} é recusado, e nada muda")
    def com_token_adulterado(self, como: str, verbo: str, caminho: str) -> None:
        """Bate na porta com um token que alguém adulterou."""
        with self._nada_muda(caminho) as certo:
            self.meu_token_e_um(como)
            self.pedir(verbo, certo)
            self.falta_token()

    @keyword(f"Só com a permissão ${{escopos}}, {PEDIDO} é recusado, e nada muda")
    def sem_permissao(self, escopos: str, verbo: str, caminho: str) -> None:
        """Bate na porta com um token bom, que permite outra coisa."""
        with self._nada_muda(caminho) as certo:
            self.meu_token_so_permite(escopos)
            self.pedir(verbo, certo)
            self.falta_permissao()

    @keyword(f"{PEDIDO} diz que não há ${{tipo:cliente|endereço|produto|item}} desse id")
    def id_de_ninguem(self, verbo: str, caminho: str, tipo: str) -> None:
        """Pede pelo maior id que pode haver, que ninguém tem."""
        corpo = self._inventar(tipo, {}) if verbo == "PUT" else None
        self.pedir(verbo, LUGAR.sub(str(ID_DE_NINGUEM), caminho), corpo)
        self.nao_existe()

    @keyword(f"{PEDIDO} com o id ${{id}} é recusado: ${{motivo}}")
    def id_errado(self, verbo: str, caminho: str, id: str, motivo: str) -> None:  # noqa: A002 - do cenário
        """Pede por algo que não é um id: a recusa aponta o nome que está no caminho."""
        campo = LUGAR.findall(caminho)[0]
        tipo = {"client_id": "cliente", "address_id": "endereço", "product_id": "produto"}
        corpo = self._inventar(tipo[campo], {}) if verbo == "PUT" else None
        self.pedir(verbo, LUGAR.sub(id, caminho), corpo)
        self.recusado_pelo_campo(campo, motivo)

    @keyword(r"A lista ${caminho:/\S+} recusa ${filtro} ${valor}: ${motivo}")
    def filtro_errado(self, caminho: str, filtro: str, valor: str, motivo: str) -> None:
        """Pede uma lista com um filtro que ela não conhece, ou de valor impossível."""
        self.pedir("GET", self._preencher(caminho), filtros={filtro: valor})
        self.recusado_pelo_campo(filtro, motivo)

    @keyword(f"{PEDIDO} recusa um corpo que não se entende")
    def corpo_ruim(self, verbo: str, caminho: str) -> None:
        """Manda JSON pela metade, um texto, uma lista e um corpo de mais de 64 KiB."""
        with self._nada_muda(caminho) as certo:
            self.pedir_com_texto(verbo, certo, '{"name": "Ar', "application/json")
            self.nao_e_json()
            self.pedir_com_texto(verbo, certo, "[]", "application/json")
            self.nao_e_json()
            self.pedir_com_texto(verbo, certo, "name=Arthur", "text/plain")
            self.tipo_errado()
            self.pedir_com_texto(verbo, certo, ENORME, "application/json")
            self.grande_demais()

    @keyword(f"{PEDIDO} não é um verbo que sirva ali")
    def verbo_que_nao_serve(self, verbo: str, caminho: str) -> None:
        """Usa um verbo que o caminho não tem."""
        self.pedir(verbo, caminho)
        self.verbo_errado()

    @keyword(f"Pergunto se existe o {EMBUTIDO} de id ${{id:\\d+}}")
    def pergunto_pelo_id(self, tipo: str, id: str) -> None:  # noqa: A002 - do cenário
        """Pergunta por um id qualquer."""
        self.pedir("GET", TIPOS[tipo].existe.format(id=id))

    @contextmanager
    def _nada_muda(self, caminho: str) -> Iterator[str]:
        """Dá o caminho com ids que existem; depois exige que cada um continue como estava."""
        yield self._preencher(caminho)
        self._token = ""
        for lugar in LUGAR.findall(caminho):
            if lugar in TIPOS:
                self.continua_como_estava("", lugar)
        if "{item}" in caminho:
            self.o_inventario_continua()

    def _preencher(self, caminho: str) -> str:
        return LUGAR.sub(lambda lugar: str(self._id_de(lugar[1])), caminho)

    def _id_de(self, lugar: str) -> int:
        if lugar == "item":
            if not self._comprados:
                self.o_cliente_comprou("")
            return self._item
        if lugar not in self._atuais:
            self.ha_um(lugar)
        return int(self._atuais[lugar]["id"])
