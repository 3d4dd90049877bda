"""Checks that a server answers as the others do, what is wrong included, before it is timed."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt

from benchmarks.progress import BenchError
from benchmarks.testbed import client_data
from servicekit.testing import user_claims

JSON = {"Content-Type": "application/json"}
NOBODY = 2**62
PERSON = {
    "name": "Pessoa 7",
    "email": client_data.email(7),
    "cpf": client_data.cpf(7),
    "balance": "30.25",
}


@dataclass(frozen=True)
class Call:
    """One request and the status that it must have; ``wrong`` names what is wrong with it."""

    wrong: str
    status: int
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Signer:
    """Signs tokens with auth's own key, good ones and bad ones."""

    def __init__(self, keys: Path) -> None:
        """Read the key from auth's folder."""
        pem = next(keys.glob("*.pem"))
        self._kid, self._key = pem.stem, pem.read_text()

    def token(self, typ: str = "at+jwt", **changes: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a good token, changed."""
        claims = user_claims(**{"scope": "clients:read clients:write", **changes})
        headers = {"kid": self._kid, "typ": typ}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=headers)


def bad_tokens(signer: Signer) -> list[Call]:
    """Return what no server may let in."""
    past = int(time.time()) - 10
    good = signer.token()
    headers = {
        "no token": {},
        "another scheme": {"Authorization": "Basic YTpi"},
        "no JWT": {"Authorization": "Bearer nonsense"},
        "a forged token": {"Authorization": f"Bearer {good[:-9]}AAAAAAAAA"},
        "an expired token": {"Authorization": f"Bearer {signer.token(exp=past)}"},
        "another audience": {"Authorization": f"Bearer {signer.token(aud='others')}"},
        "another issuer": {"Authorization": f"Bearer {signer.token(iss='others')}"},
        "no realm": {"Authorization": f"Bearer {signer.token(realm='none')}"},
        "another kind of token": {"Authorization": f"Bearer {signer.token(typ='JWT')}"},
    }
    calls = [Call(what, 401, "GET", "/clients/fetch/7", headers=h) for what, h in headers.items()]
    reader = {"Authorization": f"Bearer {signer.token(scope='clients:read')}"}
    return [*calls, Call("no scope", 403, "PUT", "/clients/update/7", PERSON, reader)]


def bad_inputs() -> list[Call]:
    """Return what no server may take, and what is not there."""
    bodies: dict[str, Any] = {
        "malformed JSON": b'{"name": ',
        "an array": [],
        "no name": {name: value for name, value in PERSON.items() if name != "name"},
        "a blank name": {**PERSON, "name": " "},
        "a name that is a number": {**PERSON, "name": 5},
        "an e-mail without a domain": {**PERSON, "email": "pessoa@"},
        "wrong check digits": {**PERSON, "cpf": "529.982.247-26"},
        "a CPF that is a number": {**PERSON, "cpf": 52998224725},
        "a negative balance": {**PERSON, "balance": -1},
        "a third decimal place": {**PERSON, "balance": "1.005"},
        "too much money": {**PERSON, "balance": 10_000_000_000},
        "NaN": b'{"name":"A","email":"a@example.com","cpf":"52998224725","balance":NaN}',
        "an unknown field": {**PERSON, "age": 5},
    }
    create, update = ("POST", "/clients/create"), ("PUT", "/clients/update/7")
    calls = [Call(what, 400, *at, body) for what, body in bodies.items() for at in (create, update)]
    fetch = {"?limit=0": 400, "?limit=1001": 400, "?limit=ten": 400, "?after=-1": 400}
    fetch |= {"/0": 400, f"/{NOBODY}": 404}
    return [
        *calls,
        *(Call(what, status, "GET", f"/clients/fetch{what}") for what, status in fetch.items()),
        Call("nobody", 404, "PUT", f"/clients/update/{NOBODY}", _somebody_new()),
        Call("a taken e-mail", 409, "POST", "/clients/create", {**_somebody_new(), **_of("email")}),
        Call("a taken CPF", 409, "POST", "/clients/create", {**_somebody_new(), **_of("cpf")}),
        Call("another's CPF", 409, "PUT", "/clients/update/8", {**_somebody_new(), **_of("cpf")}),
    ]


def check(name: str, base: str, token: str, signer: Signer) -> int:
    """Check the server at ``base`` and return in how many points; raises ``BenchError``."""
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
        tokens, inputs, goods = bad_tokens(signer), bad_inputs(), (_fetches, _lists, _writes)
        for call in tokens:
            _refused(name, client, call)
        client.headers["Authorization"] = f"Bearer {token}"
        for call in inputs:
            _refused(name, client, call)
        for good in goods:
            good(name, client)
    return len(tokens) + len(inputs) + len(goods)


def _refused(name: str, client: httpx.Client, call: Call) -> None:
    answer = _send(client, call)
    media = answer.headers.get("content-type", "").partition(";")[0]
    _expect(name, call.wrong, answer.status_code, call.status)
    _expect(name, f"{call.wrong}, its media type", media, "application/problem+json")
    document = answer.json()
    _expect(name, f"{call.wrong}, its status", document.get("status"), call.status)
    _expect(name, f"{call.wrong}, its sentence", bool(document.get("msg")), True)  # noqa: FBT003 - a value
    challenged = "www-authenticate" in answer.headers
    _expect(name, f"{call.wrong}, its challenge", challenged or call.status != 401, True)  # noqa: FBT003, PLR2004


def _fetches(name: str, client: httpx.Client) -> None:
    answer = client.get("/clients/fetch/7")
    _expect(name, "a fetch", answer.json(), {"id": 7, **PERSON})
    _expect(name, "an entity tag", answer.headers.get("etag", "")[:1], '"')


def _lists(name: str, client: httpx.Client) -> None:
    answer = client.get("/clients/fetch?limit=100&after=6")
    ids = [row["id"] for row in answer.json()]
    _expect(name, "a page", ids, list(range(7, 107)))
    _expect(name, "its first row", answer.json()[0], {"id": 7, **PERSON})
    _expect(name, "its next page", "after=106" in answer.headers.get("link", ""), True)  # noqa: FBT003


def _writes(name: str, client: httpx.Client) -> None:
    made = client.post("/clients/create", json=_somebody_new())
    _expect(name, "a create", made.status_code, 201)
    identifier = made.json()["id"]
    changed = {**_somebody_new(), "balance": 0.1}
    answer = client.put(f"/clients/update/{identifier}", json=changed)
    _expect(name, "an update", answer.status_code, 200)
    _expect(name, "its sentence", bool(answer.json()["msg"]), True)  # noqa: FBT003
    row = client.get(f"/clients/fetch/{identifier}").json()
    _expect(name, "what it wrote", row, {"id": identifier, **changed, "balance": "0.10"})


def _send(client: httpx.Client, call: Call) -> httpx.Response:
    if isinstance(call.body, bytes):
        headers = {**JSON, **call.headers}
        return client.request(call.method, call.path, content=call.body, headers=headers)
    return client.request(call.method, call.path, json=call.body, headers=call.headers)


def _expect(name: str, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        message = f"{name} is not the same as the others: {what} is {found!r}, not {wanted!r}"
        raise BenchError(message)


def _somebody_new() -> dict[str, str]:
    number = client_data.FIRST_NEW + time.time_ns() // 1000 % (
        client_data.LAST_NEW - client_data.FIRST_NEW
    )
    return {
        "name": f"Pessoa {number}",
        "email": client_data.email(number),
        "cpf": client_data.cpf(number),
        "balance": "30.25",
    }


def _of(name: str) -> dict[str, str]:
    return {name: PERSON[name]}
