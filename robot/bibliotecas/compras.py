"""Os passos da compra: o que entra no inventário de um cliente, e o que sai dele."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

from robot.api.deco import keyword

from cadastros import Cadastros

CAMINHO = r"${caminho:/\S+}"
QUANTIDADE = "${quantidade:[0-9]+} ${_:unidade|unidades}"
LISTA = "/inventory/list_products_ids"
AO_MESMO_TEMPO = 4


class Compras(Cadastros):
    """Põe produtos no inventário do cliente, e lê o inventário de volta."""

    def __init__(self, url: str, segredo: str = "", marca: str = "") -> None:
        """Fala com o sistema em ``url``; põe ``marca`` no que inventa."""
        super().__init__(url, segredo, marca)
        self._compra: dict[str, Any] = {}
        self._item = 0
        self._comprados: list[dict[str, Any]] = []

    @keyword("Tenho os dados de uma compra")
    def tenho_os_dados_de_uma_compra(self) -> None:
        """Inventa a compra do produto do cenário pelo cliente do cenário."""
        for tipo in ("cliente", "produto"):
            if tipo not in self._atuais:
                self.ha_um(tipo)
        cliente, produto = (self._atuais[tipo]["id"] for tipo in ("cliente", "produto"))
        self._compra = self._dados.dados_de_uma_compra(cliente, produto)

    @keyword('Tenho os dados de uma compra com o "${campo}" igual a ${valor}')
    def tenho_os_dados_de_uma_compra_com(self, campo: str, valor: str) -> None:
        """Inventa uma compra e põe num campo este valor, escrito como em JSON."""
        self.tenho_os_dados_de_uma_compra()
        self._compra = self._dados.trocar_campo(self._compra, campo, valor)

    @keyword("Registro a compra")
    def registro_a_compra(self) -> None:
        """Pede que a compra entre no inventário."""
        self.pedir("POST", "/inventory/add_product", self._compra)

    @keyword("Registro a compra com a chave")
    def registro_a_compra_com_a_chave(self) -> None:
        """Pede que a compra entre no inventário, com a chave de repetição do cenário."""
        chave = {"Idempotency-Key": self._chave}
        self.pedir("POST", "/inventory/add_product", self._compra, **chave)

    @keyword(f"O cliente compra {QUANTIDADE} do produto em ${{data}}")
    def o_cliente_compra(self, quantidade: str, _: str, data: str) -> None:
        """Pede que uma quantidade do produto entre no inventário do cliente."""
        self.tenho_os_dados_de_uma_compra()
        self._compra |= {"number_of_items": int(quantidade), "purchase_date": data}
        self.registro_a_compra()

    @keyword("O cliente comprou o ${qual:|outro }produto")
    def o_cliente_comprou(self, qual: str) -> None:
        """Põe o produto no inventário do cliente, o que o sistema tem de aceitar."""
        self.tenho_os_dados_de_uma_compra()
        produto = self._outros["produto"] if qual else self._atuais["produto"]
        self._compra["product_id"] = produto["id"]
        self._item = self.criar("/inventory/add_product", self._compra)
        self._comprados.append(self._como_se_le(self._item, produto))

    @keyword("O outro cliente comprou o produto")
    def o_outro_cliente_comprou(self) -> None:
        """Põe o produto no inventário do outro cliente."""
        outro, produto = self._outros["cliente"]["id"], self._atuais["produto"]["id"]
        self.criar("/inventory/add_product", self._dados.dados_de_uma_compra(outro, produto))

    @keyword("Envio a mesma compra várias vezes ao mesmo tempo, com a mesma chave")
    def envio_a_mesma_compra(self) -> None:
        """Envia pedidos iguais lado a lado; cada um é aceito, ou mandado esperar pelo primeiro."""
        token, chave = self._de_quem_le(), {"Idempotency-Key": self._chave}

        def enviar(_: int) -> Any:  # noqa: ANN401 - httpx.Response
            return self._chamar("POST", "/inventory/add_product", chave, token, json=self._compra)

        with ThreadPoolExecutor(AO_MESMO_TEMPO) as juntos:
            respostas = list(juntos.map(enviar, range(AO_MESMO_TEMPO)))
        outras = {resposta.status_code for resposta in respostas} - {201, 409}
        if outras:
            raise AssertionError(f"esperava só 201 e 409, e vieram também {outras}")
        self._resposta = next(resposta for resposta in respostas if resposta.status_code == 201)  # noqa: PLR2004 - Created

    @keyword("Consulto o inventário do cliente")
    def consulto_o_inventario(self) -> None:
        """Pede o inventário do cliente do cenário."""
        self.pedir("GET", f"{LISTA}/{self._atuais['cliente']['id']}")

    @keyword(f"Consulto o inventário do cliente por {CAMINHO}")
    def consulto_o_inventario_por(self, caminho: str) -> None:
        """Pede o inventário por um caminho, que pode ser o antigo."""
        self.pedir("GET", f"{caminho}/{self._atuais['cliente']['id']}")

    @keyword("Consulto o inventário do cliente, ${quantos:[0-9]+} por vez")
    def consulto_o_inventario_por_vez(self, quantos: str) -> None:
        """Pede a primeira página do inventário."""
        caminho = f"{LISTA}/{self._atuais['cliente']['id']}"
        self.pedir("GET", caminho, filtros={"limit": int(quantos)})

    @keyword("Retiro o item do inventário")
    def retiro_o_item(self) -> None:
        """Pede que o que o cenário comprou saia do inventário."""
        self.pedir("DELETE", f"/inventory/remove_product/{self._item}")

    @keyword(f"Retiro tudo o que é do ${{tipo:cliente|produto}} por {CAMINHO}")
    def retiro_tudo(self, tipo: str, caminho: str) -> None:
        """Pede que o cliente, ou o produto, saia de todos os inventários."""
        nome = {"cliente": "client", "produto": "product"}[tipo]
        corpo = {"remotion_id": self._atuais[tipo]["id"], "type": nome}
        self.pedir("DELETE", caminho, corpo)

    @keyword(f"O inventário do cliente tem {QUANTIDADE} do produto em ${{data}}")
    def o_inventario_tem(self, quantidade: str, _: str, data: str) -> None:
        """Exige que o inventário tenha esta compra e mais nada."""
        self.o_pedido_e_aceito()
        esperado = {
            "id": self._ultima.json()["id"],
            "product_id": self._atuais["produto"]["id"],
            "product_name": self._atuais["produto"]["name"],
            "number_of_items": int(quantidade),
            "purchase_date": data,
        }
        self.deve_ter(self._inventario("cliente"), [esperado])

    @keyword("O inventário do cliente tem a compra uma vez só")
    def o_inventario_tem_uma_vez(self) -> None:
        """Exige que o inventário tenha uma entrada, a que a resposta nomeia."""
        self.o_pedido_e_aceito()
        ids = [item["id"] for item in self._inventario("cliente")]
        self.deve_ser_igual(ids, [self._ultima.json()["id"]])

    @keyword("A compra se lê com a data ${data}")
    def a_compra_se_le_com_a_data(self, data: str) -> None:
        """Lê o inventário, e exige que a compra tenha esta data."""
        self.o_pedido_e_aceito()
        comprado = next(
            item for item in self._inventario("cliente") if item["id"] == self._ultima.json()["id"]
        )
        self.deve_ser_igual(comprado["purchase_date"], data)

    @keyword("O inventário do cliente continua como estava")
    def o_inventario_continua(self) -> None:
        """Exige que o inventário tenha o que o cliente comprou, com os nomes de então."""
        self.deve_ter(self._inventario("cliente"), self._comprados)

    @keyword("Recebo tudo o que o cliente comprou")
    def recebo_tudo(self) -> None:
        """Exige que a resposta seja o que o cliente comprou, em ordem."""
        self.deve_ter(self._ultima.json(), self._comprados)

    @keyword("Recebo só o primeiro item, e o endereço da página seguinte")
    def recebo_so_o_primeiro(self) -> None:
        """Exige a primeira página, e que a seguinte tenha o resto."""
        self.deve_ter(self._ultima.json(), self._comprados[:1])
        seguinte = self.ler(urljoin(self._ultima.url.path, self._ultima.links["next"]["url"]))
        self.deve_ter(seguinte, self._comprados[1:])

    @keyword("O inventário do ${qual:|outro }cliente fica vazio")
    def o_inventario_fica_vazio(self, qual: str) -> None:
        """Espera um pouco, e exige que não sobre nada."""
        dono = (self._outros if qual else self._atuais)["cliente"]
        self.esperar_que_fique_vazio(f"{LISTA}/{dono['id']}")

    @keyword("O inventário do outro cliente ainda tem o produto")
    def o_inventario_do_outro(self) -> None:
        """Exige que o outro cliente ainda tenha o que comprou."""
        produtos = [item["product_id"] for item in self._inventario("outro")]
        self.deve_ser_igual(produtos, [self._atuais["produto"]["id"]])

    @keyword("O inventário do cliente só tem o outro produto")
    def o_inventario_so_tem_o_outro_produto(self) -> None:
        """Exige que só o outro produto tenha ficado."""
        produtos = [item["product_id"] for item in self._inventario("cliente")]
        self.deve_ser_igual(produtos, [self._outros["produto"]["id"]])

    @keyword("O inventário do cliente acaba só com o outro produto")
    def o_inventario_acaba_com_o_outro_produto(self) -> None:
        """Espera um pouco, e exige que só o outro produto tenha ficado."""
        self.esperar_que("o produto apagado saia", lambda: len(self._inventario("cliente")) == 1)
        self.o_inventario_so_tem_o_outro_produto()

    @keyword("A compra com ${campo} ${valor} é recusada: ${motivo}")
    def compra_recusada(self, campo: str, valor: str, motivo: str) -> None:
        """Estraga um campo de uma compra boa: ela aponta o campo e nada entra no inventário."""
        self.tenho_os_dados_de_uma_compra()
        errada = self._dados.trocar_campo(self._compra, campo, valor)
        self.pedir("POST", "/inventory/add_product", errada)
        self.recusado_pelo_campo(campo, motivo)
        self.deve_ser_igual(self._inventario("cliente"), [])

    @keyword(f"A retirada por {CAMINHO} com ${{campo}} ${{valor}} é recusada: ${{motivo}}")
    def retirada_recusada(self, caminho: str, campo: str, valor: str, motivo: str) -> None:
        """Estraga um campo de uma retirada: ela aponta o campo e nada sai do inventário."""
        if not self._comprados:
            self.o_cliente_comprou("")
        certa = {"remotion_id": self._atuais["cliente"]["id"], "type": "client"}
        self.pedir("DELETE", caminho, self._dados.trocar_campo(certa, campo, valor))
        self.recusado_pelo_campo(campo, motivo)
        self.o_inventario_continua()

    def _inventario(self, de_quem: str) -> list[dict[str, Any]]:
        dono = (self._outros if de_quem == "outro" else self._atuais)["cliente"]
        itens: list[dict[str, Any]] = self.ler(f"{LISTA}/{dono['id']}")
        return itens

    def _como_se_le(self, item: int, produto: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": item,
            "product_id": produto["id"],
            "product_name": produto["name"],
            "number_of_items": self._compra["number_of_items"],
            "purchase_date": f"{self._compra['purchase_date']}+00:00",
        }
