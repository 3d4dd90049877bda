"""Access tokens: signed JWTs for OAuth 2 (RFC 9068)."""

import time
import uuid
from collections.abc import Callable, Iterable

import jwt

from auth.keys import SigningKeys
from servicekit.auth.tokens import ALGORITHM, TOKEN_TYPE
from servicekit.realm import Realm

USER_SCOPES = frozenset(
    (
        "clients:read",
        "clients:write",
        "products:read",
        "products:write",
        "inventory:read",
        "inventory:write",
        "users:write",
    )
)


class TokenSigner:
    """Signs tokens with the current key."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Sign tokens of an issuer for an audience."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def sign(
        self, subject: str, client_id: str, realm: Realm, scopes: Iterable[str], ttl: int
    ) -> str:
        """Return a token that is valid for ``ttl`` seconds."""
        kid, key = self._keys.signing()
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "client_id": client_id,
            "iat": now,
            "nbf": now,
            "exp": now + ttl,
            "jti": str(uuid.uuid4()),
            "scope": " ".join(sorted(scopes)),
            "realm": realm,
        }
        headers = {"kid": kid, "typ": TOKEN_TYPE}
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers=headers)
