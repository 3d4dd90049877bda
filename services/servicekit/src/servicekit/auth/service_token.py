"""A service's own token, by OAuth 2 client credentials (RFC 6749, section 4.4)."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from servicekit.problems import Unavailable

EARLY = 0.8  # the part of a token's life after which the next one is asked for
AWAY = "The auth service gives this service no token now; try again shortly"


class ServiceToken:
    """Keeps a valid token at hand; threads may share it."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret_file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask ``token_url`` as ``client_id``, with the secret that the file holds."""
        self._token_url = token_url
        self._client_id = client_id
        self._secret_file = secret_file
        self._clock = clock
        self._lock = threading.Lock()
        self._client = httpx.Client(timeout=2.0)
        self._token = ""
        self._renew_at = self._expires_at = float("-inf")

    def get(self) -> str:
        """Return a token.

        Raises:
            Unavailable: auth gave none, and the last one has expired.

        """
        with self._lock:
            if self._clock() >= self._renew_at:
                try:
                    self._renew()
                except (httpx.HTTPError, OSError, KeyError, ValueError):
                    if self._clock() >= self._expires_at:
                        raise Unavailable(AWAY) from None
            return self._token

    def forget(self) -> None:
        """Ask for a new token next time: this one was refused."""
        with self._lock:
            self._renew_at = self._expires_at = float("-inf")

    def close(self) -> None:
        """Close the connections to auth."""
        self._client.close()

    def _renew(self) -> None:
        secret = self._secret_file.read_text().strip()  # read each time, so that it can be rotated
        asked_at = self._clock()
        answer = self._client.post(
            self._token_url,
            data={"grant_type": "client_credentials"},
            auth=(self._client_id, secret),
        )
        document = answer.raise_for_status().json()
        self._token = str(document["access_token"])
        life = float(document["expires_in"])
        self._renew_at = asked_at + EARLY * life
        self._expires_at = asked_at + life
