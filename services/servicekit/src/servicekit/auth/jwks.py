"""Client for auth's public keys; a background thread fetches them, never a request."""

import logging
import random
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from servicekit.http.http_connection import HttpClientError, HttpConnection, Origin
from servicekit.problems import Unavailable

TIMEOUT = 2.0  # seconds for a fetch
RETRY_DELAY = 1.0  # seconds between fetches while no key is loaded
UNKNOWN_KID_COOLDOWN = 30.0  # seconds between early fetches for unknown key ids

log = logging.getLogger(__name__)


class JwksClient:
    """Keys of a JSON Web Key Set (RFC 7517); old keys stay valid while a fetch fails."""

    def __init__(
        self, url: str, refresh: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Fetch from ``url`` every ``refresh`` seconds with 10 % jitter, once started."""
        self.generation = 0  # grows when keys are removed: verified tokens are then stale
        self._origin = Origin.from_url(url)
        self._query = f"?{query}" if (query := urlsplit(url).query) else ""
        self._refresh_interval = refresh
        self._clock = clock
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._early_fetch_at = float("-inf")
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_loaded(self) -> bool:
        """Return whether any key is loaded."""
        return bool(self._keys)

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the key with that id; ``None`` if unknown, which triggers an early fetch.

        Raises:
            Unavailable: no key has been fetched yet.

        """
        key = self._keys.get(kid)
        if key is None and not self._keys:
            raise Unavailable
        if key is None and self._clock() - self._early_fetch_at >= UNKNOWN_KID_COOLDOWN:
            self._early_fetch_at = self._clock()
            self._wake.set()
        return key

    def start(self) -> None:
        """Start the background thread."""
        # created here, after the fork: Python 3.13 cannot start a thread object of the parent
        self._thread = threading.Thread(target=self._refresh, name="jwks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the background thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _refresh(self) -> None:
        while not self._stopping.is_set():
            self._fetch()
            jitter = random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
            self._wake.wait((self._refresh_interval if self._keys else RETRY_DELAY) * jitter)
            self._wake.clear()

    def _fetch(self) -> None:
        try:
            keys = {str(key["kid"]): _public_key(key) for key in self._fetch_document()["keys"]}
        except (HttpClientError, ValueError, KeyError, TypeError, PyJWTError) as error:
            why = error if isinstance(error, HttpClientError) else type(error).__name__
            log.warning("the key set could not be fetched: %s", why)
            return
        if not keys:
            log.warning("the key set is empty; the loaded keys are kept")
            return
        removed = self._keys.keys() - keys.keys()
        self._keys = keys
        if removed:
            self.generation += 1

    def _fetch_document(self) -> Any:  # noqa: ANN401 - any JSON value
        connection = HttpConnection(self._origin)
        deadline = time.monotonic() + TIMEOUT
        try:
            connection.send(self._query, {"Accept": "application/json"}, deadline)
            response = connection.receive(deadline)
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            raise HttpClientError(f"status {response.status}")
        return orjson.loads(response.body)


def _public_key(jwk: dict[str, str]) -> EllipticCurvePublicKey:
    key = PyJWK(jwk, algorithm="ES256").key
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("not a public EC key")
    return key
