"""Pessoas, endereços, produtos e compras que não existem, feitos de novo para cada cenário."""

import json
import random
import re
import secrets
from decimal import Decimal
from typing import Any

from robot.api.deco import keyword, library
from validate_docbr import CPF

NOMES = ("Arthur", "Vinícius", "Antônia", "João", "Conceição", "Inês", "Luís", "Márcia", "Zoé")
SOBRENOMES = ("Peixoto", "da Conceição", "Gonçalves", "Araújo", "d'Ávila", "Müller", "dos Anjos")
LUGARES = (
    {"state": "SP", "city": "Andradina", "street": "Rua Bandeirantes", "CEP": "16900-000"},
    {"state": "SP", "city": "São José dos Campos", "street": "Rua da Lua", "CEP": "12210-000"},
    {"state": "PE", "city": "Recife", "street": "Rua da Aurora", "CEP": "50050-000"},
    {"state": "RS", "city": "Bagé", "street": "Avenida Sete de Setembro", "CEP": "96400-003"},
    {"state": "AC", "city": "Cruzeiro do Sul", "street": "Rua Rui Barbosa", "CEP": "69980-000"},
)
PRODUTOS = ("Teclado", "Monitor", "Cafeteira", "Violão", "Fogão", "Pão de açúcar", "Relógio")
AUSENTE = "(ausente)"
LETRAS = re.compile(r"\(texto de ([0-9]+) letras\)")


@library(scope="GLOBAL", auto_keywords=False)
class Dados:
    """Inventa dados válidos, e os estraga um campo por vez."""

    def __init__(self, marca: str = "") -> None:
        """Põe ``marca`` no que inventa: por ela se acha o que alguém esqueceu de apagar."""
        self._marca = marca or secrets.token_hex(4)
        self._sorte = random.SystemRandom()

    @keyword("Dados de um cliente")
    def dados_de_um_cliente(self, **mudancas: object) -> dict[str, Any]:
        """Inventa um cliente; cada ``campo=valor`` muda um campo."""
        nome = self._sorte.choice(NOMES)
        cliente = {
            "name": f"{nome} {self._sorte.choice(SOBRENOMES)}",
            "email": f"{nome}_{secrets.token_hex(5)}@{self._marca}.aceitacao.test",
            "cpf": self.cpf_valido(),
            "balance": f"{self._sorte.randrange(10**7) / 100:.2f}",
        }
        return _mudar(cliente, mudancas)

    @keyword("Dados de um endereço")
    def dados_de_um_endereco(self, **mudancas: object) -> dict[str, Any]:
        """Inventa um endereço, ainda de ninguém."""
        lugar = self._sorte.choice(LUGARES)
        return _mudar({**lugar, "number": self._sorte.randrange(1, 10_000)}, mudancas)

    @keyword("Dados de um produto")
    def dados_de_um_produto(self, **mudancas: object) -> dict[str, Any]:
        """Inventa um produto; cada ``campo=valor`` muda um campo."""
        produto = {
            "name": f"{self._sorte.choice(PRODUTOS)} {self._marca}-{secrets.token_hex(5)}",
            "description": f"Para o dia a dia.\nLote {secrets.token_hex(5)}: garantia de 12 meses.",
            "quantity": self._sorte.randrange(1_000),
            "price": f"{self._sorte.randrange(1, 10**6) / 100:.2f}",
            "status": self._sorte.choice((True, False)),
        }
        return _mudar(produto, mudancas)

    @keyword("Dados de uma compra")
    def dados_de_uma_compra(
        self,
        cliente: int,
        produto: int,
        **mudancas: object,
    ) -> dict[str, Any]:
        """Inventa a compra de um produto por um cliente."""
        compra = {
            "client_id": cliente,
            "product_id": produto,
            "number_of_items": self._sorte.randrange(1, 100),
            "purchase_date": "2024-11-01T10:30:00",
        }
        return _mudar(compra, mudancas)

    @keyword("Dados de um usuário")
    def dados_de_um_usuario(self, **mudancas: object) -> dict[str, Any]:
        """Inventa um nome e uma senha."""
        nome = f"aceitacao-{self._marca}-{secrets.token_hex(5)}"
        return _mudar({"username": nome, "password": secrets.token_urlsafe(18)}, mudancas)

    @keyword("CPF válido")
    def cpf_valido(self) -> str:
        """Devolve um CPF de dígitos certos, com pontuação."""
        return str(CPF().generate(mask=True))

    @keyword("CPF com dígito errado")
    def cpf_com_digito_errado(self) -> str:
        """Devolve um CPF cujo último dígito não é o que devia ser."""
        certo = self.cpf_valido()
        return f"{certo[:-1]}{(int(certo[-1]) + 1) % 10}"

    @keyword("Só os dígitos")
    def so_os_digitos(self, texto: str) -> str:
        """Tira a pontuação de um CPF ou de um CEP."""
        return re.sub(r"[.-]", "", texto)

    @keyword("Chave nova")
    def chave_nova(self) -> str:
        """Devolve uma chave que nunca serviu a nenhum pedido (Idempotency-Key)."""
        return secrets.token_hex(16)

    @keyword("Trocar campo")
    def trocar_campo(self, dados: dict[str, Any], campo: str, valor: str) -> dict[str, Any]:
        """Devolve os dados com um campo trocado; o valor se escreve como em JSON.

        ``(ausente)`` tira o campo, ``(texto de 201 letras)`` põe um texto desse tamanho.
        """
        trocados = {nome: antigo for nome, antigo in dados.items() if nome != campo}
        return trocados if valor == AUSENTE else {**trocados, campo: _interpretar(valor)}

    @keyword("Como se lê")
    def como_se_le(self, dados: dict[str, Any], **acrescimos: object) -> dict[str, Any]:
        """Devolve os dados enviados como o sistema os deve mostrar.

        O dinheiro tem duas casas, o CPF tem pontuação, o CEP tem traço e se chama ``CEP``.
        """
        lidos = {**dados, **acrescimos}
        for campo in ("balance", "price"):
            if campo in lidos:
                lidos[campo] = f"{Decimal(str(lidos[campo])):.2f}"
        if "cpf" in lidos:
            lidos["cpf"] = CPF().mask(self.so_os_digitos(lidos["cpf"]))
        if "cep" in lidos:
            lidos["CEP"] = lidos.pop("cep")
        if "CEP" in lidos:
            digitos = self.so_os_digitos(lidos["CEP"])
            lidos["CEP"] = f"{digitos[:5]}-{digitos[5:]}"
        return lidos


def _mudar(dados: dict[str, Any], mudancas: dict[str, Any]) -> dict[str, Any]:
    return {**dados, **mudancas}


def _interpretar(valor: str) -> Any:  # noqa: ANN401 - qualquer valor de JSON
    letras = LETRAS.fullmatch(valor)
    if letras:
        return "á" * int(letras[1])
    try:
        return json.loads(valor)
    except json.JSONDecodeError as erro:
        raise ValueError(f"o valor {valor} não está escrito como em JSON: {erro}") from erro
