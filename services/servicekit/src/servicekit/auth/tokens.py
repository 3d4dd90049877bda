"""Verification of bearer tokens (RFC 6750, RFC 9068) against the published keys of auth."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from servicekit.problems import Unauthorized
from servicekit.realm import Realm
from servicekit.telemetry.shared_metrics import Instrument

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's media type, not a secret
REQUIRED_CLAIMS = ["iss", "aud", "exp", "iat", "nbf", "sub", "jti", "client_id"]
MAX_TOKEN_LENGTH = 4096  # characters; ours have some 500


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    subject: str
    client_id: str
    realm: Realm
    scopes: frozenset[str]
    expires_at: int  # seconds since the epoch

    @property
    def id(self) -> str:
        """Return the identifier of the caller, unique over both realms."""
        return f"{self.realm}/{self.subject}"


class KeyProvider(Protocol):
    """Source of auth's public keys."""

    generation: int  # increases whenever a key is removed

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public key with that id, or ``None`` if it is not published."""


class TokenVerifier:
    """Verifies tokens and caches the results until they expire or a key is removed."""

    def __init__(
        self,
        keys: KeyProvider,
        *,
        issuer: str,
        audience: str,
        leeway: int,
        cache_size: int = 4096,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Accept tokens of ``issuer`` for ``audience``, signed with one of ``keys``.

        ``leeway`` is the tolerated difference, in seconds, between the clocks of auth and of this
        machine (RFC 7519, 4.1.4 and 4.1.5).
        """
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._cache_size = cache_size
        self._clock = clock
        self._cache: dict[str, Principal] = {}
        self._generation = keys.generation
        self._counter_lock = threading.Lock()
        self._hits = self._misses = 0

    def verify(self, token: str) -> Principal:
        """Return the principal of ``token``.

        Raises:
            Unauthorized: the token is invalid or expired.

        """
        if self._generation != self._keys.generation:
            self._generation, self._cache = self._keys.generation, {}
        principal = self._cache.get(token)
        with self._counter_lock:
            self._hits += principal is not None
            self._misses += principal is None
        if principal is None:
            principal = self._decode(token)
            if len(self._cache) >= self._cache_size:
                self._cache.pop(next(iter(self._cache)), None)
            self._cache[token] = principal
        if principal.expires_at + self._leeway <= self._clock():
            self._cache.pop(token, None)
            raise _invalid_token()
        return principal

    def instruments(self) -> list[Instrument]:
        """Return the metrics of the token cache."""
        return [
            Instrument(
                "cadastro_token_cache_hits",
                "Token verifications served from the cache.",
                lambda: self._hits,
                is_counter=True,
            ),
            Instrument(
                "cadastro_token_cache_misses",
                "Tokens verified and cached.",
                lambda: self._misses,
                is_counter=True,
            ),
        ]

    def _decode(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_LENGTH:
            raise _invalid_token()
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TOKEN_TYPE or header.get("alg") != ALGORITHM:
                raise _invalid_token()
            key = self._keys.get(str(header.get("kid", "")))
            if key is None:
                raise _invalid_token()
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": REQUIRED_CLAIMS},
            )
            return _principal(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            # PyJWT raises the last three for some deliberately malformed tokens
            raise _invalid_token() from None


def _principal(claims: Mapping[str, Any]) -> Principal:
    """Return the principal of claims whose presence and times PyJWT has checked."""
    strings = [claims[name] for name in ("sub", "jti", "client_id")]
    timestamps = [claims[name] for name in ("exp", "iat", "nbf")]
    realm, scope = claims.get("realm"), claims.get("scope")
    if not all(isinstance(value, str) and value for value in strings):
        raise _invalid_token()
    if not all(isinstance(value, int | float) for value in timestamps):  # PyJWT accepts digits
        raise _invalid_token()
    if realm not in {"live", "synthetic"} or not isinstance(scope, str):
        raise _invalid_token()
    return Principal(
        subject=claims["sub"],
        client_id=claims["client_id"],
        realm=realm,
        scopes=frozenset(scope.split()),
        expires_at=int(claims["exp"]),
    )


def _invalid_token() -> Unauthorized:
    msg = "The token is expired or not one that is accepted here"
    return Unauthorized(msg, challenge='Bearer realm="cadastro", error="invalid_token"')
