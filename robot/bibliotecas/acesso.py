"""Os passos de quem se cadastra como usuário, entra, e usa um token até que ele vença."""

import time
from typing import Any

from robot.api import SkipExecution
from robot.api.deco import keyword

from sistema import Sistema
from tokens import cabecalho, confere, conteudo

CAMINHO = r"${caminho:/\S+}"
TENTATIVAS = 15  # senhas erradas, no máximo, até que o sistema peça que se espere
LONGO = 30.0  # segundos: o que um cenário aceita esperar que um token vença
DEPOIS = 1.0  # segundos entre os relógios de quem pede e de quem responde
FORMULARIO = "application/x-www-form-urlencoded"


class Acesso(Sistema):
    """Cadastra usuários, entra com nome e senha, e olha os tokens."""

    def __init__(self, url: str, segredo: str = "", marca: str = "") -> None:
        """Fala com o sistema em ``url``; põe ``marca`` nos nomes que inventa."""
        super().__init__(url, segredo, marca)
        self._pessoa: dict[str, Any] = {}

    @keyword("Tenho um nome e uma senha que ninguém tem")
    def tenho_nome_e_senha(self) -> None:
        """Inventa um usuário."""
        self._pessoa = self._dados.dados_de_um_usuario()

    @keyword('Tenho um nome e uma senha, com o "${campo}" igual a ${valor}')
    def tenho_nome_e_senha_com(self, campo: str, valor: str) -> None:
        """Inventa um usuário e põe num campo este valor, escrito como em JSON."""
        dados = self._dados.dados_de_um_usuario()
        self._pessoa = self._dados.trocar_campo(dados, campo, valor)

    @keyword("Há um usuário")
    def ha_um_usuario(self) -> None:
        """Cadastra um usuário do mundo sintético, que o sistema apaga depois de uma hora."""
        self.tenho_nome_e_senha()
        token = self._ambiente.token_de_monitor()
        self._exigir_de(self._chamar("POST", "/users/create", {}, token, json=self._pessoa), 201)

    @keyword(f"Cadastro o usuário por {CAMINHO}")
    def cadastro_o_usuario(self, caminho: str) -> None:
        """Pede o cadastro do usuário; como monitor, para que o sistema o apague depois."""
        self.sou_um_monitor()
        self.pedir("POST", caminho, self._pessoa)

    @keyword("Um estranho se cadastra como usuário")
    def um_estranho_se_cadastra(self) -> None:
        """Pede o cadastro do usuário sem token nenhum."""
        self.nao_tenho_token()
        self.pedir("POST", "/users/create", self._pessoa)

    @keyword("Um usuário cadastra o novo usuário")
    def um_usuario_cadastra(self) -> None:
        """Pede o cadastro do usuário com o token de um usuário do mundo sintético."""
        novo = self._pessoa
        self.ha_um_usuario()
        resposta = self._ambiente.entrar("/users/login", *self._pessoa.values())
        self._exigir_de(resposta, 200)
        self._token, self._pessoa = resposta.json()["token"], novo
        self.pedir("POST", "/users/create", novo)

    @keyword(f"Cadastro o usuário por {CAMINHO} com a chave")
    def cadastro_o_usuario_com_chave(self, caminho: str) -> None:
        """Pede o cadastro do usuário com a chave de repetição do cenário."""
        self.sou_um_monitor()
        self.pedir("POST", caminho, self._pessoa, **{"Idempotency-Key": self._chave})

    @keyword("O nome está em maiúsculas")
    def o_nome_esta_em_maiusculas(self) -> None:
        """Escreve o nome do usuário de outra forma, que é o mesmo nome."""
        self._pessoa["username"] = self._pessoa["username"].upper()

    @keyword("Tenho o nome dele e a senha de outro")
    def tenho_a_senha_de_outro(self) -> None:
        """Cadastra mais um usuário, e fica com o nome do primeiro e a senha do segundo."""
        nome = self._pessoa["username"]
        self.ha_um_usuario()
        self._pessoa["username"] = nome

    @keyword(f"Entro por {CAMINHO}")
    def entro(self, caminho: str) -> None:
        """Entra com o nome e a senha do usuário."""
        self._entrar(caminho, self._pessoa["username"], self._pessoa["password"])

    @keyword(f"Entro por {CAMINHO} com o nome em ${{forma:maiúsculas|minúsculas}}")
    def entro_com_o_nome_em(self, caminho: str, forma: str) -> None:
        """Entra com o nome escrito de outra forma."""
        nome = str(self._pessoa["username"])
        outro = nome.upper() if forma == "maiúsculas" else nome.lower()
        self._entrar(caminho, outro, self._pessoa["password"])

    @keyword(f"Entro por {CAMINHO} com a senha errada")
    def entro_com_a_senha_errada(self, caminho: str) -> None:
        """Tenta entrar com uma senha que não é a do usuário."""
        self._entrar(caminho, self._pessoa["username"], "não é esta")

    @keyword(f"Entro por {CAMINHO} sem dizer quem sou")
    def entro_sem_dizer_quem_sou(self, caminho: str) -> None:
        """Tenta entrar sem nome e sem senha."""
        self.nao_tenho_token()
        self.pedir("POST", caminho)

    @keyword(f"Erro a senha por {CAMINHO} até que o sistema peça que eu espere")
    def erro_a_senha(self, caminho: str) -> None:
        """Erra a senha de novo e de novo; o sistema tem de se cansar logo."""
        credenciais = (self._pessoa["username"], "não é esta")
        for _ in range(TENTATIVAS):
            self._resposta = self._chamar("POST", caminho, {}, None, auth=credenciais)
            if self._resposta.status_code == 429:  # noqa: PLR2004 - Too Many Requests
                return
        raise AssertionError(f"errei a senha {TENTATIVAS} vezes, e ninguém me pediu que esperasse")

    @keyword("Recebo um token que me deixa trabalhar")
    def recebo_um_token_que_serve(self) -> None:
        """Exige que o token que veio deixe ler os clientes."""
        resposta = self._chamar("GET", "/clients/fetch?limit=1", {}, self._token_recebido())
        self._exigir_de(resposta, 200)

    @keyword("O token se confere com as chaves publicadas")
    def o_token_se_confere(self) -> None:
        """Exige que a assinatura do token seja de uma chave de ``/users/jwks.json``."""
        token = self._token_recebido()
        chaves = self._chamar("GET", "/users/jwks.json", {}, None)
        self._exigir_de(chaves, 200)
        if not confere(token, chaves.json()["keys"]):
            raise AssertionError("a assinatura do token não é de nenhuma chave publicada")

    @keyword("As chaves publicadas não têm a parte secreta")
    def chaves_sem_segredo(self) -> None:
        """Exige que nenhuma chave da resposta traga o número que assina (RFC 7518, ``d``)."""
        for chave in self._ultima.json()["keys"]:
            if "d" in chave or chave["use"] != "sig":
                raise AssertionError(f"a chave {chave['kid']} diz mais do que deve: {set(chave)}")

    @keyword('O token diz "${nome}" igual a "${valor}"')
    def o_token_diz(self, nome: str, valor: str) -> None:
        """Exige que o token afirme isto."""
        self.deve_ser_igual(str(conteudo(self._token_recebido()).get(nome)), valor)

    @keyword("O token é do tipo at+jwt, e vence")
    def o_token_vence(self) -> None:
        """Exige o tipo da RFC 9068, e que o token valha de agora até um dia."""
        token = self._token_recebido()
        self.deve_ser_igual(cabecalho(token)["typ"], "at+jwt")
        vida = conteudo(token)["exp"] - conteudo(token)["iat"]
        if not 0 < vida <= 24 * 60 * 60:
            raise AssertionError(f"o token vale por {vida} s")

    @keyword("Peço um token como ${nome}, com o segredo ${qual:certo|errado}")
    def peco_um_token(self, nome: str, qual: str, **formulario: str) -> None:
        """Pede um token de serviço; cada ``campo=valor`` vai no formulário."""
        segredo = self._ambiente.segredo() if qual == "certo" else "não é este"
        self._token = None
        self._enviar("POST", "/users/token", {}, auth=(nome, segredo), data=formulario)

    @keyword("Peço um token com um corpo do tipo ${tipo}")
    def peco_um_token_com_corpo(self, tipo: str) -> None:
        """Pede um token com um corpo que não é um formulário."""
        self._token, credenciais = None, ("synthetic", self._ambiente.segredo())
        tipos = {"Content-Type": tipo}
        self._enviar("POST", "/users/token", tipos, auth=credenciais, content=b"{}")

    @keyword("Peço um token com um formulário de 70 mil letras")
    def peco_um_token_enorme(self) -> None:
        """Pede um token com um corpo maior do que o sistema aceita."""
        self._token, credenciais = None, ("synthetic", self._ambiente.segredo())
        formulario = {"grant_type": "client_credentials", "scope": "a" * 70_000}
        self._enviar("POST", "/users/token", {}, auth=credenciais, data=formulario)

    @keyword('O erro do OAuth é "${codigo}"')
    def o_erro_do_oauth_e(self, codigo: str) -> None:
        """Exige o código de erro da RFC 6749, 5.2."""
        self.deve_ser_igual(self._ultima.json()["error"], codigo)

    @keyword("O token que recebi venceu")
    def o_token_venceu(self) -> None:
        """Espera que o token vença, se isso não demora, e passa a usá-lo mesmo assim."""
        token = self._token_recebido()
        falta = conteudo(token)["exp"] - time.time()
        if falta > LONGO:
            raise SkipExecution(
                f"o token ainda vale por {falta:.0f} s; para ver um que vence, inicie o sistema "
                "com TOKEN_TTL=10, SERVICE_TOKEN_TTL=10 e JWT_LEEWAY=0"
            )
        time.sleep(max(0.0, falta) + DEPOIS)
        self._token = token

    def _entrar(self, caminho: str, nome: str, senha: str) -> None:
        self.nao_tenho_token()
        self._resposta = self._ambiente.entrar(caminho, nome, senha)
        self._notar(self._resposta)

    def _token_recebido(self) -> str:
        documento = self._ultima.json()
        return str(documento.get("token") or documento["access_token"])
