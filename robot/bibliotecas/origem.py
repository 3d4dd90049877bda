"""De que endereço um processo chama um sistema que está na própria máquina."""

import ipaddress
import secrets
import socket

import httpx

LOCAIS = ipaddress.IPv4Network("127.0.0.0/8")


def origem(url: str) -> str | None:
    """Devolve um endereço local que é só deste processo, ou nenhum, para chamar do de sempre.

    O sistema conta as senhas erradas de cada endereço e atrasa quem errou muito. Quem erra de
    propósito, como os cenários, sai de um endereço próprio: não atrasa a execução seguinte, nem
    outra pessoa que use o sistema. Só o Linux atende por toda a rede 127.0.0.0/8.
    """
    if not _e_local(httpx.URL(url).host):
        return None
    proprio = str(LOCAIS[2**16 + secrets.randbelow(2**23)])
    with socket.socket() as prova:
        try:
            prova.bind((proprio, 0))
        except OSError:
            return None
    return proprio


def _e_local(maquina: str) -> bool:
    try:
        return maquina == "localhost" or ipaddress.ip_address(maquina) in LOCAIS
    except ValueError:
        return False
