"""Tokens que nenhum serviço pode aceitar, feitos a partir de um que é bom (RFC 8725)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256


def conteudo(token: str) -> dict[str, Any]:
    """Devolve o que um token afirma, sem conferir a assinatura."""
    return _ler(token.split(".")[1])


def cabecalho(token: str) -> dict[str, Any]:
    """Devolve o cabeçalho de um token."""
    return _ler(token.split(".", maxsplit=1)[0])


def confere(token: str, chaves: Iterable[Mapping[str, str]]) -> bool:
    """Diz se a assinatura é de uma das chaves publicadas, a que o token nomeia (RFC 7515)."""
    assinado, _, assinatura = token.rpartition(".")
    nomeada = cabecalho(token)["kid"]
    chave = next((uma for uma in chaves if uma["kid"] == nomeada), None)
    if chave is None:
        return False
    x, y = (int.from_bytes(_bytes(chave[eixo])) for eixo in "xy")
    r, s = (int.from_bytes(_bytes(assinatura)[inicio:][:32]) for inicio in (0, 32))
    publica = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    try:
        publica.verify(encode_dss_signature(r, s), assinado.encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def adulterar(token: str, modo: str) -> str:
    """Devolve um token ruim, de um dos modos de ``MODOS``."""
    if modo not in MODOS:
        raise ValueError(f"não sei fazer um token {modo!r}; sei: {', '.join(MODOS)}")
    return MODOS[modo](token)


def _com_assinatura_trocada(token: str) -> str:
    inicio, _, assinatura = token.rpartition(".")
    outra = "A" if assinatura[0] != "A" else "B"
    return f"{inicio}.{outra}{assinatura[1:]}"


def _com_conteudo_trocado(token: str) -> str:
    primeiro, _, assinatura = token.split(".")
    trocado = {**conteudo(token), "sub": "user:1", "exp": 4_102_444_800}
    return f"{primeiro}.{_escrever(trocado)}.{assinatura}"


def _sem_assinatura(token: str) -> str:
    return f"{_escrever({**cabecalho(token), 'alg': 'none'})}.{token.split('.')[1]}."


def _assinado_por_outro(token: str) -> str:
    assinado = token.rpartition(".")[0]
    chave = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(chave.sign(assinado.encode(), ec.ECDSA(SHA256())))
    return f"{assinado}.{_base64(r.to_bytes(32) + s.to_bytes(32))}"


def _assinado_com_segredo(token: str) -> str:
    assinado = f"{_escrever({**cabecalho(token), 'alg': 'HS256'})}.{token.split('.')[1]}"
    resumo = hmac.new(b"cadastro", assinado.encode(), hashlib.sha256).digest()
    return f"{assinado}.{_base64(resumo)}"


def _que_nao_e_token(_: str) -> str:
    return "abracadabra"


MODOS: dict[str, Callable[[str], str]] = {
    "com a assinatura trocada": _com_assinatura_trocada,
    "com o conteúdo trocado": _com_conteudo_trocado,
    "sem assinatura": _sem_assinatura,
    "assinado por outra chave": _assinado_por_outro,
    "assinado com um segredo": _assinado_com_segredo,
    "que não é um JWT": _que_nao_e_token,
}


def _ler(parte: str) -> dict[str, Any]:
    lido: dict[str, Any] = json.loads(_bytes(parte))
    return lido


def _bytes(parte: str) -> bytes:
    return base64.urlsafe_b64decode(parte + "=" * (-len(parte) % 4))


def _escrever(documento: dict[str, Any]) -> str:
    return _base64(json.dumps(documento).encode())


def _base64(dados: bytes) -> str:
    return base64.urlsafe_b64encode(dados).rstrip(b"=").decode()
