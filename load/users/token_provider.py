"""Bearer tokens for one user a process, renewed before they expire."""

import base64
import json
import secrets
import time
from pathlib import Path

import httpx

TIMEOUT_SECONDS = 20.0
RENEW_FRACTION = 0.8  # of a token's lifetime


class LoginError(Exception):
    """No token could be obtained; the message names the request and its response."""


class TokenProvider:
    """A new user and its tokens; in the synthetic realm when the monitors' secret is given."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Choose credentials for the system at ``url``; the first token registers them."""
        self.credentials = f"load-{secrets.token_hex(8)}", secrets.token_urlsafe(24)
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)
        self._secret_file = secret_file
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a valid token.

        Raises:
            LoginError: the system rejected the registration or the login.

        """
        if time.time() > self._renew_at:
            is_first = not self._renew_at
            # the other greenlets keep using the current token meanwhile
            self._renew_at = time.time() + TIMEOUT_SECONDS
            if is_first:
                self._register()
            self._token = self._log_in()
            claims = _unverified_claims(self._token)
            self._renew_at = claims["iat"] + RENEW_FRACTION * (claims["exp"] - claims["iat"])
        return self._token

    def _register(self) -> None:
        headers = {}
        if self._secret_file:
            secret = read_secret(self._secret_file)
            form = {"grant_type": "client_credentials"}
            response = self._http.post("/users/token", data=form, auth=("synthetic", secret))
            headers["Authorization"] = f"Bearer {_expect(200, response)['access_token']}"
        name, password = self.credentials
        body = {"username": name, "password": password}
        _expect(201, self._http.post("/users/create", json=body, headers=headers))

    def _log_in(self) -> str:
        response = self._http.post("/users/login", auth=self.credentials)
        return str(_expect(200, response)["token"])


def read_secret(file: str) -> str:
    """Return the secret in a file.

    Raises:
        LoginError: the file cannot be read, or has none.

    """
    try:
        secret = Path(file).read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise LoginError(f"SECRET_FILE: {file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise LoginError(f"SECRET_FILE: {file} is not text in UTF-8") from error
    if not secret:
        raise LoginError(f"SECRET_FILE: {file} is empty")
    return secret


def _expect(status: int, response: httpx.Response) -> dict[str, str]:
    if response.status_code != status:
        request = f"{response.request.method} {response.request.url.path}"
        text = " ".join(response.text.split())[:200]
        raise LoginError(f"{request} returned {response.status_code}: {text}")
    document: dict[str, str] = response.json()
    return document


def _unverified_claims(token: str) -> dict[str, float]:
    """Return the claims of a token, unverified: its issuer sent it over this connection."""
    part = token.split(".")[1]
    claims: dict[str, float] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
