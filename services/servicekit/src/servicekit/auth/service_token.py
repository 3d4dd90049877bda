"""A service's own token, by OAuth 2 client credentials (RFC 6749, section 4.4)."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from servicekit.http.tls import client_context
from servicekit.problems import Unavailable

REFRESH_FRACTION = 0.8  # of a token's lifetime, after which it is renewed
UNAVAILABLE_MESSAGE = "The auth service gives this service no token now; try again shortly"


class ServiceToken:
    """Thread-safe cache of a valid token."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret_file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Authenticate to ``token_url`` as ``client_id`` with the secret in a file."""
        self._token_url = token_url
        self._client_id = client_id
        self._secret_file = secret_file
        self._clock = clock
        self._lock = threading.Lock()
        # without proxies of the environment, which is also where httpx reads SSL_CERT_FILE
        self._client = httpx.Client(timeout=2.0, trust_env=False, verify=client_context())
        self._token = ""
        self._renew_at = self._expires_at = float("-inf")

    def get(self) -> str:
        """Return a token.

        Raises:
            Unavailable: auth issued none, and the last one has expired.

        """
        with self._lock:
            if self._clock() >= self._renew_at:
                try:
                    self._renew()
                except (httpx.HTTPError, OSError, KeyError, ValueError):
                    if self._clock() >= self._expires_at:
                        raise Unavailable(UNAVAILABLE_MESSAGE) from None
            return self._token

    def invalidate(self) -> None:
        """Discard the token, which a service rejected; the next ``get`` requests another."""
        with self._lock:
            self._renew_at = self._expires_at = float("-inf")

    def close(self) -> None:
        """Close the connections to auth."""
        self._client.close()

    def _renew(self) -> None:
        # read each time, to allow its rotation
        secret = self._secret_file.read_text(encoding="utf-8-sig").strip()
        requested_at = self._clock()
        response = self._client.post(
            self._token_url,
            data={"grant_type": "client_credentials"},
            auth=(self._client_id, secret),
        )
        document = response.raise_for_status().json()
        self._token = str(document["access_token"])
        lifetime = float(document["expires_in"])
        self._renew_at = requested_at + REFRESH_FRACTION * lifetime
        self._expires_at = requested_at + lifetime
