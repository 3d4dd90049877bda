"""Fake token issuer in place of auth, served over HTTP."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from servicekit.testing.stub_handler import StubHandler

SCOPE = (
    "clients:read clients:write products:read products:write "
    "inventory:read inventory:write users:write"
)


def user_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid user token with changes; ``None`` removes a claim."""
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


class FakeIssuer:
    """Publishes a key set and signs any claims."""

    def __init__(self) -> None:
        """Generate the first key."""
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.current = self.add_key("first")
        self.fetches = 0  # of the key set
        self.service_scope = "clients:exists products:exists inventory:remove"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Return the URL of the key set."""
        return f"http://127.0.0.1:{self._server.server_port}/users/jwks.json"

    def add_key(self, kid: str) -> str:
        """Publish another key and return its id."""
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
        """Start the server."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    def stop(self) -> None:
        """Stop the server and close its port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(StubHandler):
            def do_GET(self) -> None:
                self.send_json(200, issuer.key_set())
                issuer.fetches += 1

            def do_POST(self) -> None:
                """Issue a service token (RFC 6749, section 4.4) without authentication."""
                self.rfile.read(int(self.headers["Content-Length"]))
                token = issuer.token(sub="service:tests", scope=issuer.service_scope)
                document = {"access_token": token, "token_type": "Bearer", "expires_in": 300}
                self.send_json(200, document)

        return Handler
