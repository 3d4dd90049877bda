"""Requests that every server must reject, with the expected status."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from benchmarks.testbed import client_data
from servicekit.testing import user_claims

MISSING_ID = 2**62
CLIENT = {
    "name": "Pessoa 7",
    "email": client_data.email(7),
    "cpf": client_data.cpf(7),
    "balance": "30.25",
}


@dataclass(frozen=True)
class BadRequest:
    """One request with its defect and the expected status."""

    defect: str
    status: int
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class TokenSigner:
    """Signs valid and invalid tokens with auth's own key."""

    def __init__(self, keys: Path) -> None:
        """Read the key from auth's folder."""
        pem = next(keys.glob("*.pem"))
        self._kid, self._key = pem.stem, pem.read_text()

    def token(self, typ: str = "at+jwt", **changes: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a valid token, with changes to its claims."""
        claims = user_claims(**{"scope": "clients:read clients:write", **changes})
        headers = {"kid": self._kid, "typ": typ}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=headers)


def bad_tokens(signer: TokenSigner) -> list[BadRequest]:
    """Return requests without a valid token, and one without the scope."""
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
    path = "/clients/fetch/7"
    requests = [BadRequest(what, 401, "GET", path, headers=h) for what, h in headers.items()]
    reader = {"Authorization": f"Bearer {signer.token(scope='clients:read')}"}
    return [*requests, BadRequest("no scope", 403, "PUT", "/clients/update/7", CLIENT, reader)]


def bad_inputs() -> list[BadRequest]:
    """Return requests with invalid input, missing rows and conflicts."""
    return [*_bad_bodies(), *_bad_paths(), *_conflicts()]


def new_client() -> dict[str, str]:
    """Return a client that is not in the table."""
    count = client_data.LAST_NEW - client_data.FIRST_NEW
    number = client_data.FIRST_NEW + time.time_ns() // 1000 % count
    return {
        "name": f"Pessoa {number}",
        "email": client_data.email(number),
        "cpf": client_data.cpf(number),
        "balance": "30.25",
    }


def _bad_bodies() -> list[BadRequest]:
    bodies: dict[str, Any] = {
        "malformed JSON": b'{"name": ',
        "an array": [],
        "no name": {name: value for name, value in CLIENT.items() if name != "name"},
        "a blank name": {**CLIENT, "name": " "},
        "a name that is a number": {**CLIENT, "name": 5},
        "an e-mail without a domain": {**CLIENT, "email": "pessoa@"},
        "wrong check digits": {**CLIENT, "cpf": "529.982.247-26"},
        "a CPF that is a number": {**CLIENT, "cpf": 52998224725},
        "a negative balance": {**CLIENT, "balance": -1},
        "a third decimal place": {**CLIENT, "balance": "1.005"},
        "too much money": {**CLIENT, "balance": 10_000_000_000},
        "NaN": b'{"name":"A","email":"a@example.com","cpf":"52998224725","balance":NaN}',
        "an unknown field": {**CLIENT, "age": 5},
    }
    operations = (("POST", "/clients/create"), ("PUT", "/clients/update/7"))
    return [
        BadRequest(defect, 400, *operation, body)
        for defect, body in bodies.items()
        for operation in operations
    ]


def _bad_paths() -> list[BadRequest]:
    paths = {"?limit=0": 400, "?limit=1001": 400, "?limit=ten": 400, "?after=-1": 400}
    paths |= {"/0": 400, f"/{MISSING_ID}": 404}
    return [
        *(
            BadRequest(path, status, "GET", f"/clients/fetch{path}")
            for path, status in paths.items()
        ),
        BadRequest("missing client", 404, "PUT", f"/clients/update/{MISSING_ID}", new_client()),
    ]


def _conflicts() -> list[BadRequest]:
    email, cpf = ({**new_client(), name: CLIENT[name]} for name in ("email", "cpf"))
    return [
        BadRequest("duplicate e-mail", 409, "POST", "/clients/create", email),
        BadRequest("duplicate CPF", 409, "POST", "/clients/create", cpf),
        BadRequest("another client's CPF", 409, "PUT", "/clients/update/8", cpf),
    ]
