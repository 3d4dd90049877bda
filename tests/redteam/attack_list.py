"""The attacks of `make redteam FAULTS=attacks`."""

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from tests.redteam.attack_kinds import RANDOM, Attack, Flood, Hold, Stream
from tests.redteam.parser_inputs import json_bodies, query_strings

JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024
NORMAL, REVERSED = "\u0301", "\u0316"  # marks in the opposite of their normal order
VALID_CLIENT = {"name": "Vermelho", "cpf": "529.982.247-25", "balance": 1}


@dataclass(frozen=True)
class Place:
    """The system that is attacked, and the token of an attacker who has registered."""

    ingress: int  # ports of 127.0.0.1
    ports: Mapping[str, int]  # of the services
    token: str


def attacks(place: Place) -> dict[str, Attack]:
    """Return the attacks by name."""
    return {
        **_without_login(place),
        **_connections(place),
        **_bodies(place),
        **_queries(place),
    }


def _without_login(place: Place) -> dict[str, Attack]:
    login = ("POST", "/users/login")
    head, _, _ = place.token.rpartition(".")
    user = json.dumps({"username": RANDOM, "password": "Testando"}).encode()
    taken = json.dumps({"username": "redteam-taken", "password": "Testando"}).encode()
    parameters = {"Content-Type": "application/json;" + "a=b;" * 180_000}
    return {
        "registrations": Flood(place.ingress, "POST", "/users/create", JSON, user),
        "registrations of one name": Flood(place.ingress, "POST", "/users/create", JSON, taken),
        "failing logins": Flood(place.ingress, *login, credentials=lambda: _basic(_name())),
        "failing logins of one name": Flood(place.ingress, *login, {"Authorization": _basic("a")}),
        "logins of impossible names": Flood(
            place.ingress, *login, credentials=lambda: _basic("a" * 101 + _name())
        ),
        **{
            f"Basic of {size} KB of marks": Flood(
                place.ingress, *login, {"Authorization": _basic(_marks(size * 1000 * 3 // 4))}
            )
            for size in (45, 107, 320)
        },
        "a media type of 720 KB": Flood(place.ingress, "POST", "/users/create", parameters, b"{}"),
        "invalid tokens": Flood(
            place.ingress,
            "GET",
            "/clients/fetch/1",
            credentials=lambda: f"Bearer {head}.{secrets.token_urlsafe(64)}",
        ),
    }


def _connections(place: Place) -> dict[str, Attack]:
    own, line = place.ports["clients"], b" /clients/fetch HTTP/1.1\r\nHost: x\r\n"
    announced = b"POST /clients/create HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n"
    announced += b"Content-Type: application/json\r\n\r\n"
    chunked = b"POST" + line + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    return {
        "1,500 bodies that never come": Hold(place.ingress, announced, 1500),
        "the same at a service": Hold(own, announced, 1500),
        "500 slow headers": Hold(place.ingress, b"GET" + line + b"X-Slow: ", 500, b"a"),
        "the same at a service, slow": Hold(own, b"GET" + line + b"X-Slow: ", 500, b"a"),
        "a header of 100 MB": Stream(own, b"GET" + line + b"X-Long: ", b"a", 100 * MIB),
        "4 million headers": Stream(own, b"GET" + line, b"X: a\r\n", 4_000_000 * 6),
        "trailers of 100 MB": Stream(own, chunked, b"X-Forwarded-For: 1.1.1.1\r\n", 100 * MIB),
    }


def _bodies(place: Place) -> dict[str, Attack]:
    duplicate = ",".join([f'"{number:05}":1' for number in range(6_500)])
    emails = json.dumps({**VALID_CLIENT, "email": "a" * 60 + "@" + "a." * 90 + "com"})
    known = json_bodies()
    texts = {
        "6,500 members and a duplicate": "{" + duplicate + ',"06499":1}',
        "an exponent beyond doubles": '{"balance":1e9999999999999999999}',
        "deep JSON": "[" * 65_000,
        "nested JSON": known["nested arrays"],
        "the costliest texts": known["empty texts"],
        "the costliest members": known["invisible members"],
        "clients in 64 KiB": emails,
    }
    headers = {**JSON, "Authorization": f"Bearer {place.token}"}
    bodies = {name: text.encode().ljust(65_536) for name, text in texts.items()}
    return {
        name: Flood(place.ingress, "POST", "/clients/create", headers, body)
        for name, body in bodies.items()
    }


def _queries(place: Place) -> dict[str, Attack]:
    headers = {"Authorization": f"Bearer {place.token}"}
    paths = {
        "queries of 2,000 parameters": query_strings()["many parameters"],
        "queries of 16,000 parameters": "a=1&" * 16_000,
        "filters of marks": query_strings()["a name of marks"],
        "filters like expressions": "name=" + "(a%2B)%2B%24_%25" * 12,
        "pages of 1,000 rows": "limit=1000",
    }
    return {
        name: Flood(place.ingress, "GET", f"/clients/fetch?{query}", headers)
        for name, query in paths.items()
    }


def _basic(name: str) -> str:
    return "Basic " + b64encode(f"{name}:wrong".encode()).decode()


def _name() -> str:
    return secrets.token_hex(8)


def _marks(size: int) -> str:
    return "e" + NORMAL * (size // 4) + REVERSED * (size // 4)
