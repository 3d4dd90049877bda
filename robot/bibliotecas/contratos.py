"""Os contratos que os serviços publicam, e a conferência de cada resposta contra eles."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs

PUBLICADO_EM = {
    "users": "/users/openapi.json",
    "user": "/users/openapi.json",
    "clients": "/clients/openapi.json",
    "address": "/clients/openapi.json",
    "products": "/products/openapi.json",
    "inventory": "/inventory/openapi.json",
}
METODOS = frozenset(["get", "post", "put", "delete", "patch"])


class ForaDoContratoError(AssertionError):
    """Uma resposta que o contrato do serviço não descreve."""

    ROBOT_SUPPRESS_NAME = True


class Contratos:
    """Os contratos dos quatro serviços, lidos do próprio sistema quando fazem falta."""

    def __init__(self, http: httpx.Client) -> None:
        """Lê os contratos do sistema que ``http`` alcança."""
        self._http = http
        self._lidos: dict[str, list[Operacao]] = {}

    def operacao(self, metodo: str, caminho: str) -> "Operacao | None":
        """Devolve a operação que responde ali, se houver uma."""
        publicado = PUBLICADO_EM.get(caminho.split("/")[1])
        if publicado is None:
            return None
        if publicado not in self._lidos:
            resposta = self._http.get(publicado)
            resposta.raise_for_status()
            self._lidos[publicado] = list(_operacoes(resposta.json()))
        for operacao in self._lidos[publicado]:
            if operacao.atende(metodo, caminho):
                return operacao
        return None


class Operacao:
    """Uma operação de um contrato, e o que ele promete das respostas dela."""

    def __init__(
        self, documento: dict[str, Any], metodo: str, caminho: str, descrita: dict[str, Any]
    ) -> None:
        """Guarda o que ``documento`` diz da operação ``descrita``."""
        self.nome: str = descrita["operationId"]
        self._metodo = metodo.upper()
        partes = (re.escape(parte) for parte in re.split(r"\{[^}]+\}", caminho))
        self._caminho = re.compile("[^/]+".join(partes) + r"/?\Z")
        self._respostas: dict[str, Any] = descrita["responses"]
        self._componentes: dict[str, Any] = documento["components"]

    def atende(self, metodo: str, caminho: str) -> bool:
        """Diz se é esta a operação que responde a ``metodo`` em ``caminho``."""
        return metodo == self._metodo and self._caminho.match(caminho) is not None

    def conferir(self, resposta: httpx.Response) -> None:
        """Não faz nada quando a resposta é uma das que o contrato descreve.

        Raises:
            ForaDoContratoError: o status, um cabeçalho ou o corpo são outros.

        """
        onde = f"{self.nome} respondeu {resposta.status_code}"
        descrita = self._respostas.get(str(resposta.status_code))
        if descrita is None:
            raise ForaDoContratoError(f"{onde}, que o contrato não prevê: {resposta.text[:300]}")
        descrita = self._resolver(descrita)
        erros = [
            *self._erros_dos_cabecalhos(descrita, resposta),
            *self._erros_do_corpo(descrita, resposta),
        ]
        if erros:
            raise ForaDoContratoError(f"{onde} fora do contrato: {'; '.join(erros)}")

    def _erros_dos_cabecalhos(
        self, descrita: dict[str, Any], resposta: httpx.Response
    ) -> Iterator[str]:
        for nome, cabecalho in descrita.get("headers", {}).items():
            regra = self._resolver(cabecalho)
            valor = resposta.headers.get(nome)
            if valor is None:
                if regra.get("required"):
                    yield f"falta o cabeçalho {nome}"
            else:
                inteiro = self._resolver(regra["schema"]).get("type") == "integer"
                lido = int(valor) if inteiro and valor.isdecimal() else valor
                yield from (f"{nome}: {erro}" for erro in self._erros(regra["schema"], lido))

    def _erros_do_corpo(self, descrita: dict[str, Any], resposta: httpx.Response) -> Iterator[str]:
        tipos = descrita.get("content")
        if not tipos:
            if resposta.content:
                yield "veio um corpo, e não deve haver nenhum"
            return
        tipo = resposta.headers.get("content-type", "").partition(";")[0]
        if tipo in tipos:
            yield from self._erros(tipos[tipo]["schema"], resposta.json())
        else:
            yield f"o corpo é de tipo {tipo!r}"

    def _erros(self, esquema: dict[str, Any], valor: object) -> Iterator[str]:
        inteiro = {"allOf": [esquema], "components": self._componentes}
        validador = jsonschema_rs.Draft4Validator(inteiro)
        yield from (str(erro.message) for erro in validador.iter_errors(valor))

    def _resolver(self, no: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in no:
            _, _, tipo, nome = no["$ref"].split("/")
            no = self._componentes[tipo][nome]
        return no


def _operacoes(documento: dict[str, Any]) -> Iterator[Operacao]:
    for caminho, metodos in documento["paths"].items():
        for metodo, descrita in metodos.items():
            if metodo in METODOS:
                yield Operacao(documento, metodo, caminho, descrita)
