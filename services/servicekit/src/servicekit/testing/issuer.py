"""Stands in for auth: over real HTTP, a service under test fetches its keys from here."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from servicekit.testing.stand_in import StandIn

SCOPE = (
    "clients:read clients:write products:read products:write "
    "inventory:read inventory:write users:write"
)


def user_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good user's token, changed; ``None`` takes one out."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "cadastro",
        "aud": "cadastro",
        "sub": "user:1",
        "client_id": "cadastro",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": os.urandom(8).hex(),
        "scope": SCOPE,
        "realm": "live",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


class Issuer:
    """Stands in for auth: publishes a key set, and signs whatever a test wants signed."""

    def __init__(self) -> None:
        """Make a first key."""
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.current = self.add_key("first")
        self.fetches = 0  # of the key set
        self.service_scope = "clients:exists products:exists inventory:remove"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where the key set is."""
        return f"http://127.0.0.1:{self._server.server_port}/users/jwks.json"

    def add_key(self, kid: str) -> str:
        """Publish one more key and return its id."""
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())
        return kid

    def key_set(self) -> dict[str, Any]:
        """Return the JSON Web Key Set (RFC 7517)."""
        keys = [
            {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid, key in list(self.keys.items())
        ]
        return {"keys": keys}

    def token(self, **changes: Any) -> str:
        """Return a signed token with ``user_claims(**changes)``."""
        headers = {"kid": self.current, "typ": "at+jwt"}
        key = self.keys[self.current]
        return jwt.encode(user_claims(**changes), key, algorithm="ES256", headers=headers)

    def __enter__(self) -> Self:
        """Start to publish."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Go away; nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(StandIn):
            def do_GET(self) -> None:
                self.answer(200, issuer.key_set())
                issuer.fetches += 1

            def do_POST(self) -> None:
                """Answer a service's token (RFC 6749, section 4.4), whoever asks."""
                self.rfile.read(int(self.headers["Content-Length"]))
                token = issuer.token(sub="service:tests", scope=issuer.service_scope)
                document = {"access_token": token, "token_type": "Bearer", "expires_in": 300}
                self.answer(200, document)

        return Handler
