"""Auth's public keys, fetched beside the requests and never on a request's path."""

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

from servicekit.http.client import HttpClientError, HttpConnection, Origin
from servicekit.problems import Unavailable

TIMEOUT = 2.0  # seconds in which the set must be there
RETRY = 1.0  # seconds between two attempts while there is no key at all
UNKNOWN_KID = 30.0  # seconds at least between two fetches for an unknown key id

log = logging.getLogger(__name__)


class JwksKeys:
    """The keys of a JSON Web Key Set (RFC 7517), served stale when its publisher is away."""

    def __init__(
        self, url: str, refresh: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Fetch from ``url``, once started: every ``refresh`` seconds, give or take a tenth."""
        self.version = 0
        self._origin = Origin.from_url(url)
        self._query = f"?{query}" if (query := urlsplit(url).query) else ""
        self._every = refresh
        self._clock = clock
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._asked_early = float("-inf")
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def loaded(self) -> bool:
        """Whether there is any key to check tokens with."""
        return bool(self._keys)

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the key of that id, or nothing, and then look for it soon.

        Raises:
            Unavailable: no key has been fetched yet, so nothing can be said of any token.

        """
        key = self._keys.get(kid)
        if key is None and not self._keys:
            raise Unavailable
        if key is None and self._clock() - self._asked_early >= UNKNOWN_KID:
            self._asked_early = self._clock()
            self._wake.set()
        return key

    def start(self) -> None:
        """Start to fetch."""
        # not made before: since Python 3.13 a thread that a parent made does not start in its fork
        self._thread = threading.Thread(target=self._refresh, name="jwks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop to fetch."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _refresh(self) -> None:
        while not self._stopping.is_set():
            self._fetch()
            jitter = random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
            self._wake.wait((self._every if self._keys else RETRY) * jitter)
            self._wake.clear()

    def _fetch(self) -> None:
        try:
            keys = {str(key["kid"]): _public_key(key) for key in self._published()["keys"]}
        except (HttpClientError, ValueError, KeyError, TypeError, PyJWTError) as error:
            why = error if isinstance(error, HttpClientError) else type(error).__name__
            log.warning("the key set could not be fetched: %s", why)
            return
        if not keys:
            log.warning("the key set is empty; the keys at hand are kept")
            return
        gone = self._keys.keys() - keys.keys()
        self._keys = keys
        if gone:
            self.version += 1

    def _published(self) -> Any:  # noqa: ANN401 - what was answered
        connection = HttpConnection(self._origin)
        deadline = time.monotonic() + TIMEOUT
        try:
            connection.send(self._query, {"Accept": "application/json"}, deadline)
            answer = connection.receive(deadline)
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            message = f"status {answer.status}"
            raise HttpClientError(message)
        return orjson.loads(answer.body)


def _public_key(jwk: dict[str, str]) -> EllipticCurvePublicKey:
    key = PyJWK(jwk, algorithm="ES256").key
    if not isinstance(key, EllipticCurvePublicKey):
        message = "not a public EC key"
        raise TypeError(message)
    return key
