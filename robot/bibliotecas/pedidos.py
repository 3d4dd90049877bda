"""O que um cenário pede do que se cadastra: os passos do *Quando*."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from robot.api.deco import keyword

from registros import Registro, Registros
from tipos import EMBUTIDO, TIPOS

AO_MESMO_TEMPO = 4


class Pedidos(Registros):
    """Pede que se cadastre, mude, apague, mostre ou procure; o sistema pode recusar."""

    @keyword(f"Cadastro o {EMBUTIDO}")
    def cadastro(self, tipo: str) -> None:
        """Pede o cadastro com os dados do cenário."""
        self.pedir("POST", TIPOS[tipo].criar, self._enviado)

    @keyword(f"Cadastro o {EMBUTIDO} com a chave")
    def cadastro_com_a_chave(self, tipo: str) -> None:
        """Pede o cadastro com a chave de repetição do cenário."""
        self.pedir("POST", TIPOS[tipo].criar, self._enviado, **{"Idempotency-Key": self._chave})

    @keyword(f"Cadastro o {EMBUTIDO} pelo caminho que termina em barra")
    def cadastro_com_barra(self, tipo: str) -> None:
        """Pede o cadastro por um caminho que termina em barra, que é o mesmo."""
        self.pedir("POST", f"{TIPOS[tipo].criar}/", self._enviado)

    @keyword(f"Consulto o {EMBUTIDO}")
    def consulto(self, tipo: str, **cabecalhos: str) -> None:
        """Pede o registro de que o cenário fala."""
        self._resposta = self._consultar(tipo, **cabecalhos)

    @keyword(f"Consulto o {EMBUTIDO} se não for mais a versão lida")
    def consulto_se_mudou(self, tipo: str) -> None:
        """Pede o registro só se ele já for outro (If-None-Match)."""
        self._resposta = self._consultar(tipo, **{"If-None-Match": self._versoes[tipo]})

    @keyword(f"Consulto o {EMBUTIDO} se ainda for a versão lida")
    def consulto_se_for_a_versao(self, tipo: str) -> None:
        """Pede o registro só se ninguém o mudou antes (If-Match)."""
        self._resposta = self._consultar(tipo, **{"If-Match": self._versoes[tipo]})

    @keyword(f"Mudo o {EMBUTIDO}")
    def mudo(self, tipo: str) -> None:
        """Pede que o registro passe a ter os dados do cenário."""
        self.pedir("PUT", self._caminho(TIPOS[tipo].mudar, tipo), self._enviado)

    @keyword(f"Mudo o {EMBUTIDO} se ainda for a versão lida")
    def mudo_se_for_a_versao(self, tipo: str) -> None:
        """Pede a mudança só se ninguém mudou o registro antes (If-Match)."""
        caminho = self._caminho(TIPOS[tipo].mudar, tipo)
        self.pedir("PUT", caminho, self._enviado, **{"If-Match": self._versoes[tipo]})

    @keyword(f"Mudo o {EMBUTIDO} se não for mais a versão lida")
    def mudo_se_mudou(self, tipo: str) -> None:
        """Pede a mudança só se o registro já for outro (If-None-Match)."""
        caminho = self._caminho(TIPOS[tipo].mudar, tipo)
        self.pedir("PUT", caminho, self._enviado, **{"If-None-Match": self._versoes[tipo]})

    @keyword(f"Vários mudam o {EMBUTIDO} ao mesmo tempo, sobre a versão lida")
    def varios_mudam(self, tipo: str) -> None:
        """Envia mudanças diferentes lado a lado, todas sobre a mesma versão (If-Match)."""
        token, versao = self._de_quem_le(), {"If-Match": self._versoes[tipo]}
        caminho = self._caminho(TIPOS[tipo].mudar, tipo)

        def mudar(dados: Registro) -> httpx.Response:
            return self._chamar("PUT", caminho, versao, token, json=dados)

        mudancas = [self._inventar(tipo, {}) for _ in range(AO_MESMO_TEMPO)]
        with ThreadPoolExecutor(AO_MESMO_TEMPO) as juntos:
            self._corridas = list(zip(mudancas, juntos.map(mudar, mudancas), strict=True))

    @keyword(f"Apago o {EMBUTIDO}")
    def apago(self, tipo: str) -> None:
        """Pede que o registro seja apagado."""
        self.pedir("DELETE", self._caminho(TIPOS[tipo].apagar, tipo))

    @keyword(f"Apago o {EMBUTIDO} se ainda for a versão lida")
    def apago_se_for_a_versao(self, tipo: str) -> None:
        """Pede que o registro seja apagado só se ninguém o mudou antes (If-Match)."""
        caminho = self._caminho(TIPOS[tipo].apagar, tipo)
        self.pedir("DELETE", caminho, **{"If-Match": self._versoes[tipo]})

    @keyword(f"Pergunto se o {EMBUTIDO} existe")
    def pergunto_se_existe(self, tipo: str) -> None:
        """Pergunta pelo registro."""
        self.pedir("GET", self._caminho(TIPOS[tipo].existe, tipo))

    @keyword(f'Procuro o {EMBUTIDO} pelo "${{campo}}"')
    def procuro_pelo(self, tipo: str, campo: str) -> None:
        """Pede a lista, só com quem tem este campo como o do registro."""
        self.procuro_com(tipo, campo, self._atuais[tipo][campo])

    @keyword(f'Procuro o {EMBUTIDO} pelo "${{campo}}" ${{forma:em maiúsculas|sem pontuação}}')
    def procuro_de_outra_forma(self, tipo: str, campo: str, forma: str) -> None:
        """Pede a lista com o campo do registro escrito de outra forma."""
        valor = str(self._atuais[tipo][campo])
        outro = valor.upper() if forma == "em maiúsculas" else self._dados.so_os_digitos(valor)
        self.procuro_com(tipo, campo, outro)

    def procuro_com(self, tipo: str, campo: str, valor: object) -> None:
        """Pede a lista, só com quem tem este valor no campo."""
        texto = str(valor).lower() if isinstance(valor, bool) else valor
        self.pedir("GET", TIPOS[tipo].lista, filtros={campo: texto, **self._a_partir_de(tipo)})

    @keyword(f"Leio a lista, um {EMBUTIDO} por página")
    def leio_a_lista(self, tipo: str) -> None:
        """Segue o ``Link`` de cada página à seguinte, do registro do cenário até o outro."""
        primeiro, ultimo = self._atuais[tipo]["id"], self._outros[tipo]["id"]
        lidos = self.ler_em_paginas_de_um(TIPOS[tipo].lista, primeiro, ultimo)
        self.deve_estar_em_ordem(lidos)
        self._lidos = lidos
