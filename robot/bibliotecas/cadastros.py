"""O que se exige do que foi cadastrado: os passos do *Então*, que leem tudo de volta."""

from robot.api.deco import keyword

from conferencias import so_os_campos
from pedidos import Pedidos
from tipos import EMBUTIDO, TIPOS

FICAM = ("id", "client_id")  # o que uma mudança não muda


class Cadastros(Pedidos):
    """Lê de novo o que o cenário escreveu, ou tentou escrever."""

    @keyword(f"A lista tem os dois {EMBUTIDO}s, sem repetir nem pular ninguém")
    def a_lista_tem_os_dois(self, tipo: str) -> None:
        """Exige que o primeiro e o último lidos sejam os do cenário."""
        self.deve_ter(self._lidos[0], self._atuais[tipo])
        self.deve_ter(self._lidos[-1], self._outros[tipo])

    @keyword(f"A lista tem só o {EMBUTIDO}")
    def a_lista_tem_so(self, tipo: str) -> None:
        """Exige que a lista seja o registro do cenário e mais nada."""
        self.deve_ter(self._ultima.json(), [self._atuais[tipo]])

    @keyword(f"A lista ${{tem:tem|não tem}} o ${{qual:|outro }}{EMBUTIDO}")
    def a_lista_tem(self, tem: str, qual: str, tipo: str) -> None:
        """Exige que o registro esteja, ou não esteja, na lista que veio."""
        procurado = (self._outros if qual else self._atuais)[tipo]
        listado = any(so_os_campos(um, procurado) == procurado for um in self._ultima.json())
        if listado != (tem == "tem"):
            raise AssertionError(f"esperava que a lista {tem} {procurado}: {self._ultima.text}")

    @keyword(f"Recebo o {EMBUTIDO} como foi cadastrado")
    def recebo(self, tipo: str) -> None:
        """Exige que a resposta seja o registro."""
        self.deve_ter(self._ultima.json(), self._atuais[tipo])

    @keyword(f"O {EMBUTIDO} ficou guardado como foi enviado")
    def ficou_guardado(self, tipo: str) -> None:
        """Lê o registro que acaba de ser cadastrado, e exige que seja o dos dados."""
        self.o_pedido_e_aceito()
        esperado = self._dados.como_se_le(self._enviado, id=self._ultima.json()["id"])
        self._deve_se_ler(tipo, esperado)
        self._lembrar(tipo, esperado)

    @keyword(f'O "${{campo}}" do {EMBUTIDO} se lê ${{valor}}')
    def o_campo_se_le(self, campo: str, tipo: str, valor: str) -> None:
        """Lê o registro que acaba de ser cadastrado, e exige um campo com este valor."""
        self.o_pedido_e_aceito()
        esperado = {**self._enviado, "id": self._ultima.json()["id"], campo: valor}
        self._deve_se_ler(tipo, esperado)

    @keyword(f"O {EMBUTIDO} ficou como foi mudado")
    def ficou_mudado(self, tipo: str) -> None:
        """Lê o registro de novo, e exige que tenha os dados novos."""
        self.o_pedido_e_aceito()
        atual = self._atuais[tipo]
        fica = {campo: atual[campo] for campo in FICAM if campo in atual}
        self._deve_se_ler(tipo, self._dados.como_se_le(self._enviado, **fica))

    @keyword(f"O ${{qual:|outro }}{EMBUTIDO} continua como estava")
    def continua_como_estava(self, qual: str, tipo: str) -> None:
        """Lê o registro de novo, e exige que seja o mesmo."""
        self._deve_se_ler(tipo, (self._outros if qual else self._atuais)[tipo])

    @keyword(f"O {EMBUTIDO} não existe mais")
    def nao_existe_mais(self, tipo: str) -> None:
        """Exige que o registro não se ache de maneira nenhuma."""
        registro, caminhos = self._atuais[tipo], TIPOS[tipo]
        if tipo == "endereço":
            self.deve_ser_igual(self._guardado(tipo, registro), None)
            return
        self.nao_deve_haver(caminhos.consultar.format(**registro))
        self.deve_ser_igual(self.ler(caminhos.existe.format(**registro)), {"status": False})
        for campo in caminhos.unicos:
            self.deve_ser_igual(self.ler(caminhos.lista, **{campo: registro[campo]}), [])

    @keyword(f"Nenhum {EMBUTIDO} ficou com esses dados")
    def nenhum_ficou(self, tipo: str) -> None:
        """Exige que nada do que foi enviado esteja guardado."""
        if tipo == "endereço":
            caminho = TIPOS[tipo].consultar.format(client_id=self._atuais["cliente"]["id"])
            self.deve_ser_igual(self.ler(caminho), [])
        for campo in TIPOS[tipo].unicos:
            self.deve_ser_igual(self.ler(TIPOS[tipo].lista, **{campo: self._enviado[campo]}), [])
        if (
            tipo == "produto" and tipo in self._atuais
        ):  # o nome que se estragou não se acha pelo nome
            novos = self.ler(TIPOS[tipo].lista, after=self._atuais[tipo]["id"])
            nossos = [um for um in novos if um.get("description") == self._enviado["description"]]
            self.deve_ser_igual(nossos, [])

    @keyword(f"Um só consegue, e o {EMBUTIDO} ficou como ele quis")
    def um_so_consegue(self, tipo: str) -> None:
        """Exige que uma só das mudanças tenha sido aceita, e as outras recusadas por tardias."""
        aceitas = [dados for dados, resposta in self._corridas if resposta.is_success]
        recusas = [r.status_code for _, r in self._corridas if not r.is_success]
        if len(aceitas) != 1 or set(recusas) != {412}:
            raise AssertionError(f"{len(aceitas)} mudanças aceitas; as recusas foram {recusas}")
        identificado = self._dados.como_se_le(aceitas[0], id=self._atuais[tipo]["id"])
        self._deve_se_ler(tipo, identificado)

    @keyword(f"O cadastro de {EMBUTIDO} com ${{campo}} ${{valor}} é recusado: ${{motivo}}")
    def cadastro_recusado(self, tipo: str, campo: str, valor: str, motivo: str) -> None:
        """Estraga um campo de dados bons: o cadastro aponta o campo e não guarda nada."""
        if tipo == "produto":
            self.ha_um(tipo)
        self._enviado = self._inventar(tipo, {})
        errados = self._dados.trocar_campo(self._enviado, campo, valor)
        self.pedir("POST", TIPOS[tipo].criar, errados)
        self.recusado_pelo_campo(campo, motivo)
        self.nenhum_ficou(tipo)

    @keyword(f"A mudança de {EMBUTIDO} com ${{campo}} ${{valor}} é recusada: ${{motivo}}")
    def mudanca_recusada(self, tipo: str, campo: str, valor: str, motivo: str) -> None:
        """Estraga um campo de uma mudança: ela aponta o campo e não muda nada."""
        if tipo not in self._atuais:
            self.ha_um(tipo)
        errados = self._dados.trocar_campo(self._inventar(tipo, {}), campo, valor)
        self.pedir("PUT", self._caminho(TIPOS[tipo].mudar, tipo), errados)
        self.recusado_pelo_campo(campo, motivo)
        self.continua_como_estava("", tipo)
